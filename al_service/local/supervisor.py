"""Processes that are started, watched, started again when they die, and ended."""

import logging
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from al_service.errors import StackProblem
from al_service.local.processes import (
    ProcessRecord,
    end,
    record_of,
    tail,
    wait_until,
)

WATCH_SECONDS = 0.2
FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 30.0
HEALTHY_SECONDS = 30.0
"""A process that ran this long starts again without remembering earlier deaths."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Part:
    """One process of the stack."""

    name: str
    start: Callable[[], subprocess.Popen[bytes]]
    log: Path


@dataclass
class _Running:
    part: Part
    process: subprocess.Popen[bytes]
    record: ProcessRecord
    deaths: int = 0
    started: float = 0.0
    again_at: float | None = None


class Supervisor:
    """Keeps parts running until it is told to stop.

    Args:
        stop: Set by a signal handler when the stack shall end.
        started: Told of every process, before anything else happens.
    """

    def __init__(
        self, stop: threading.Event, started: Callable[[ProcessRecord], None]
    ) -> None:
        self._stop = stop
        self._started = started
        self._running: list[_Running] = []

    def start(self, *parts: Part) -> None:
        """Start processes; `wait_for` says when they are ready."""
        for part in parts:
            process = part.start()
            record = record_of(part.name, process.pid)
            self._started(record)
            self._running.append(
                _Running(part, process, record, started=time.monotonic())
            )

    def wait_for(
        self,
        what: str,
        ready: Callable[[], bool],
        *,
        seconds: float,
        why: Callable[[], str],
    ) -> bool:
        """Wait until a part of the stack answers.

        Args:
            what: Its name, for the message.
            ready: Asked again and again.
            seconds: How long.
            why: Asked for an explanation when the time is over.

        Returns:
            False when we were told to stop meanwhile.

        Raises:
            StackProblem: A process has died, or the time is over.
        """

        def settled() -> bool:
            self._fail_on_death()
            return self._stop.is_set() or ready()

        if not wait_until(settled, seconds=seconds):
            raise StackProblem(f"{what} was not ready within {seconds:.0f} s: {why()}")
        return not self._stop.is_set()

    def watch(self) -> None:
        """Start again what dies, until we are told to stop."""
        while not self._stop.wait(WATCH_SECONDS):
            for running in self._running:
                if running.process.poll() is not None:
                    self._revive(running)

    def end(self, names: Sequence[str], first: signal.Signals, *, grace: float) -> None:
        """End some parts at once: asked first, killed after `grace` seconds."""
        chosen = [run for run in self._running if run.part.name in names]
        end([run.record for run in chosen], first, grace=grace)
        for run in chosen:
            run.process.wait(timeout=2.0)
        self._running = [run for run in self._running if run not in chosen]

    def _fail_on_death(self) -> None:
        for running in self._running:
            code = running.process.poll()
            if code is not None and not self._stop.is_set():
                raise StackProblem(
                    f"{running.part.name} ended with code {code} while starting; "
                    f"the end of {running.part.log}:\n{tail(running.part.log)}"
                )

    def _revive(self, running: _Running) -> None:
        now = time.monotonic()
        if running.again_at is None:
            healthy = now - running.started > HEALTHY_SECONDS
            running.deaths = 1 if healthy else running.deaths + 1
            delay = FIRST_DELAY_SECONDS * 2 ** (running.deaths - 1)
            running.again_at = now + min(delay, LONGEST_DELAY_SECONDS)
            logger.warning(
                "%s (pid %d) ended with code %s: starting it again; see %s",
                running.part.name,
                running.record.pid,
                running.process.returncode,
                running.part.log,
            )
        if now < running.again_at:
            return
        running.process = running.part.start()
        running.record = record_of(running.part.name, running.process.pid)
        running.started, running.again_at = now, None
        self._started(running.record)
