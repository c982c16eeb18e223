"""Processes that are remembered by id and start time, and never outlive us."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from al_service.local.accounts import Account

SAME_START_SECONDS = 3.0
"""Two readings of one process's start may differ by this: ids come back later."""

LARGEST_LOG = 16 * 2**20
"""A log that has grown beyond this many bytes is put aside when its process starts."""

POLL_SECONDS = 0.05

_PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


@dataclass(frozen=True)
class ProcessRecord:
    """One process of ours, told apart from a later one with the same id."""

    name: str
    pid: int
    started: float
    """Seconds since 1970."""

    def find(self) -> psutil.Process | None:
        """The process, if it still runs."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < SAME_START_SECONDS
            ended = process.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return None
        return process if same and not ended else None


def record_of(name: str, pid: int) -> ProcessRecord:
    """The record of a process that runs now."""
    try:
        return ProcessRecord(name, pid, psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return ProcessRecord(name, pid, time.time())


def spawn(
    command: Sequence[str | Path],
    *,
    log: Path,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    account: Account | None = None,
    at_our_death: signal.Signals | None = signal.SIGKILL,
    keep: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own: Ctrl-C in our terminal is ours alone.

    Args:
        command: Program and arguments.
        log: File to which its output is appended.
        folder: Its working folder.
        environment: Variables on top of our own.
        account: Account to run under, ours without one.
        at_our_death: Signal that Linux sends it when we die in whatever way.
        keep: File descriptors that it inherits.
    """
    _put_aside(log)
    parent = os.getpid()

    def tie() -> None:
        _die_with(parent, at_our_death)

    with log.open("ab") as output:
        return subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
            pass_fds=tuple(keep),
            preexec_fn=None if at_our_death is None else tie,  # noqa: PLW1509 - we start children from one thread
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
        )


def wait_until(condition: Callable[[], bool], *, seconds: float) -> bool:
    """Ask again and again; False when the time is over."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def end(
    records: Sequence[ProcessRecord], first: signal.Signals, *, grace: float
) -> list[str]:
    """Ask processes to stop, wait, and kill those that did not.

    Args:
        records: The processes; those that no longer run are passed over.
        first: The signal that asks.
        grace: Seconds to obey.

    Returns:
        Names of those that were running.
    """
    found = [(record, record.find()) for record in records]
    alive = [(record, process) for record, process in found if process is not None]
    families = [child for _, process in alive for child in _children(process)]
    for _, process in alive:
        _send(process, first)

    def gone() -> bool:
        return not any(record.find() for record, _ in alive)

    in_time = wait_until(gone, seconds=grace)
    for process in [*([] if in_time else [leader for _, leader in alive]), *families]:
        _send(process, signal.SIGKILL)
    if not in_time:
        wait_until(gone, seconds=2.0)
    return [record.name for record, _ in alive]


def tail(log: Path, lines: int = 12) -> str:
    """The last lines of a log, for a message about the process that wrote it."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _send(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)  # psutil compares the start time once more
    except psutil.NoSuchProcess:
        return


def _put_aside(log: Path) -> None:
    if log.exists() and log.stat().st_size > LARGEST_LOG:
        log.replace(log.with_suffix(".old.log"))


def _die_with(parent: int, number: signal.Signals | None) -> None:
    if _prctl is None or number is None:
        return
    _prctl(_PR_SET_PDEATHSIG, int(number))
    if os.getppid() != parent:  # it died between fork and here
        os._exit(1)
