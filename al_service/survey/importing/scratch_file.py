"""A file that is there while something is put together."""

from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Self


class ScratchFile(AbstractContextManager["ScratchFile"]):
    """Open for writing; gone when its context ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("wb")

    def __enter__(self) -> Self:
        """The file itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the disk back."""
        self._file.close()
        self._path.unlink(missing_ok=True)
