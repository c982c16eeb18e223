import os
import signal
import sys
import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from al_service.errors import StackProblem
from al_service.local.processes import ProcessRecord, spawn
from al_service.local.supervisor import Part, Supervisor

FOREVER = [sys.executable, "-c", "import signal; signal.pause()"]


def part(folder: Path, command: list[str]) -> Part:
    log = folder / "part.log"
    return Part("part", lambda: spawn(command, log=log, folder=folder), log)


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


def started_again(
    stop: threading.Event, folder: Path, kill: Callable[[int], None]
) -> list[ProcessRecord]:
    """Kill a watched part once and return the processes that were started."""
    started: list[ProcessRecord] = []

    def note(record: ProcessRecord) -> None:
        started.append(record)
        if len(started) == 2:
            stop.set()

    supervisor = Supervisor(stop, note)
    supervisor.start(part(folder, FOREVER))
    kill(started[0].pid)
    supervisor.watch()
    supervisor.end(["part"], signal.SIGTERM, grace=5.0)
    return started


def test_a_part_that_dies_is_started_again(
    stop: threading.Event, tmp_path: Path
) -> None:
    first, second = started_again(
        stop, tmp_path, lambda pid: os.kill(pid, signal.SIGKILL)
    )
    assert first.pid != second.pid
    assert second.find() is None  # ended by us


def test_a_part_that_dies_while_starting_ends_the_start_with_its_last_words(
    stop: threading.Event, tmp_path: Path
) -> None:
    supervisor = Supervisor(stop, lambda _record: None)
    supervisor.start(part(tmp_path, [sys.executable, "-c", "raise OSError('no disk')"]))
    with pytest.raises(StackProblem, match=r"part ended with code 1(.|\n)*no disk"):
        supervisor.wait_for("part", lambda: False, seconds=30, why=str)


def test_a_part_that_never_gets_ready_ends_the_start_with_the_reason(
    stop: threading.Event, tmp_path: Path
) -> None:
    supervisor = Supervisor(stop, lambda _record: None)
    supervisor.start(part(tmp_path, FOREVER))
    with pytest.raises(StackProblem, match="not ready within 0 s: broker: silent"):
        supervisor.wait_for(
            "x", lambda: False, seconds=0.2, why=lambda: "broker: silent"
        )
    supervisor.end(["part"], signal.SIGTERM, grace=5.0)


def test_waiting_ends_when_we_are_told_to_stop(stop: threading.Event) -> None:
    supervisor = Supervisor(stop, lambda _record: None)
    stop.set()
    assert not supervisor.wait_for("x", lambda: False, seconds=60, why=str)


def test_a_part_that_keeps_dying_is_started_ever_more_slowly(
    stop: threading.Event, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    started: list[float] = []

    def note(record: ProcessRecord) -> None:
        started.append(record.started)
        if len(started) == 4:
            stop.set()

    supervisor = Supervisor(stop, note)
    supervisor.start(part(tmp_path, ["/bin/false"]))
    supervisor.watch()
    gaps = [later - sooner for sooner, later in pairwise(started)]
    assert gaps[2] > gaps[1] > gaps[0] > 0.4
    assert "starting it again" in caplog.text
    supervisor.end(["part"], signal.SIGTERM, grace=1.0)
