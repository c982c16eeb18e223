"""A long command that is told to end says so, and takes its time to clear up."""

import os
import signal

import pytest

from al_service.cli.interruption import interruptible
from al_service.errors import Interrupted


def work_until(number: signal.Signals, cleared: list[bool]) -> None:
    with interruptible("repeat the command"):
        try:
            os.kill(os.getpid(), number)
            signal.pause()
        finally:
            cleared.append(True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_an_answer_and_every_finally_runs(number: signal.Signals) -> None:
    cleared: list[bool] = []
    with pytest.raises(Interrupted, match=r"^interrupted; repeat the command$"):
        work_until(number, cleared)
    assert cleared


def test_sigterm_means_afterwards_what_it_meant_before() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with interruptible("repeat the command"):
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
