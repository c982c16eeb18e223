"""Locks on files of a home: the kernel gives them back however their holder ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from al_service.local.processes import wait_until


class FileLock:
    """One holder's lock on a file: alone, or together with other sharers."""

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def alone(self, *, seconds: float = 0.0) -> bool:
        """Take it for ourselves; False when others held it all that time."""
        return wait_until(lambda: self._take(fcntl.LOCK_EX), seconds=seconds)

    def shared(self) -> bool:
        """Take it together with others; False when somebody has it alone."""
        return self._take(fcntl.LOCK_SH)

    def release(self) -> None:
        """Give it back."""
        os.close(self._handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def _take(self, how: int) -> bool:
        try:
            fcntl.flock(self._handle, how | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@contextmanager
def one_at_a_time(path: Path, *, seconds: float) -> Iterator[None]:
    """Hold the lock alone for a short step.

    Raises:
        TimeoutError: Another process has held it for all that time.
    """
    with FileLock(path) as lock:
        if not lock.alone(seconds=seconds):
            raise TimeoutError(f"{path} has been locked for {seconds:.0f} s")
        yield
