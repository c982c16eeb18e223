"""Ctrl-C in a long command: an answer, not an accident."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from al_service.errors import Interrupted


@contextmanager
def interruptible(advice: str) -> Iterator[None]:
    """Let SIGTERM do what Ctrl-C does, and say what became of the work.

    Every `finally` runs: files that are not whole are deleted, and a database that was
    started for this command ends with it.

    Args:
        advice: what is left, and how to go on.

    Raises:
        Interrupted: somebody wants an end.
    """

    def forward(number: int, frame: FrameType | None) -> None:
        at_ctrl_c = signal.getsignal(signal.SIGINT)
        if not callable(at_ctrl_c):  # ignored, as for jobs in the background
            raise KeyboardInterrupt
        at_ctrl_c(number, frame)

    before = signal.signal(signal.SIGTERM, forward)
    try:
        yield
    except KeyboardInterrupt as error:
        raise Interrupted(f"interrupted; {advice}") from error
    finally:
        signal.signal(signal.SIGTERM, before)
