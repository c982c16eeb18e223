"""Unfinished files and folders: a living writer holds a lock on its own.

The kernel gives the lock of a killed writer back, so that whoever comes later knows
what nobody will finish. Where a file system has no locks, nothing is cleared away.
"""

import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def held(path: Path) -> Iterator[bool]:
    """Hold what is being written: `clear_abandoned` leaves it alone.

    Args:
        path: a new file or folder.

    Yields:
        Whether it is still there: somebody may have cleared it away before it was
        held, and its writer begins anew.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield False
        return
    try:
        _lock(handle, fcntl.LOCK_SH)
        yield path.exists()
    finally:
        os.close(handle)


def clear_abandoned(paths: Iterable[Path]) -> None:
    """Delete those of the files and folders that no living writer holds."""
    for path in paths:
        try:
            handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:  # finished or cleared away in this very moment
            continue
        try:
            if _lock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB):
                _delete(path)
        finally:
            os.close(handle)


def _lock(handle: int, how: int) -> bool:
    try:
        fcntl.flock(handle, how)
    except OSError:  # somebody holds it, or this file system has no locks
        return False
    return True


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
