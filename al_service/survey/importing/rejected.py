"""The file beside an import that lists every row it could not use."""

import csv
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

from al_service.errors import InvalidInput, Problem

SHOWN: Final = 20
"""Problems that a message lists; the file has all."""


class RejectedRows(AbstractContextManager["RejectedRows"]):
    """Counts problems and writes each to a CSV file; no problem, no file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self.first: list[Problem] = []
        self._file: IO[str] | None = None
        self._writer: Any = None  # Any: csv's writers have no public type

    def __enter__(self) -> Self:
        """Forget what an earlier import left there."""
        self.path.unlink(missing_ok=True)
        return self

    def add(self, problems: Iterable[Problem]) -> None:
        """Write some problems down."""
        for problem in problems:
            if self._file is None:
                self._file = self._open()
                self._writer = csv.writer(self._file)
                self._writer.writerow(("where", "problem"))
            self.count += 1
            if len(self.first) < SHOWN:
                self.first.append(problem)
            self._writer.writerow((problem.where, problem.message))

    def _open(self) -> IO[str]:
        try:
            return self.path.open("w", newline="", encoding="utf-8")
        except OSError as error:
            raise InvalidInput(
                f"bad rows cannot be listed in {self.path} ({error.strerror}): name"
                " another file by --rejected"
            ) from error

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
