"""A folder for as long as it is needed, whatever ends the one who needs it."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

_PREFIX: Final = ".scratch-"
_LOCK: Final = "lock"


@contextmanager
def scratch_folder(parent: Path | None) -> Iterator[Path]:
    """A new folder that is gone with the block.

    What a killed process has left beside it is cleared away: its lock ended with it.

    Args:
        parent: where; None for the system's place of temporary files.
    """
    if parent is not None:
        parent.mkdir(parents=True, exist_ok=True)
        _clear(parent)
    with (
        TemporaryDirectory(prefix=_PREFIX, dir=parent) as name,
        (Path(name) / _LOCK).open("w") as lock,
    ):
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield Path(name)


def _clear(parent: Path) -> None:
    for left in parent.glob(f"{_PREFIX}*"):
        with suppress(OSError), (left / _LOCK).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)
