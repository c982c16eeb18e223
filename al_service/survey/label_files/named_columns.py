"""Columns of a label file by their names, whatever the case."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from al_service.errors import UnreadableFile
from al_service.survey.catalogs.columns import TableChunk, numbers
from al_service.survey.catalogs.identifiers import identifiers

FIBERS: Final = (
    ("plate", "mjd", "fiberid"),
    ("plateid", "mjd", "fiberid"),
    ("field", "mjd", "catalogid"),  # SDSS-V
)
"""Columns that name the fiber of a spectrum."""


class NamedColumns:
    """A chunk's columns by their names in lower case."""

    def __init__(self, path: Path, chunk: TableChunk) -> None:
        self.path = path
        self._chunk = chunk
        self._names = {name.lower(): name for name in chunk.columns}

    def __len__(self) -> int:
        return len(self._chunk)

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def numbers(self, name: str) -> NDArray[np.float64]:
        """`N` numbers, NaN where nothing stands."""
        values, bad = numbers(self._chunk.cells(self._names[name]))
        if bad.any():
            place = self._chunk.places[int(np.flatnonzero(bad)[0])]
            raise UnreadableFile(self.path, f"{place}: {name}: expected a number")
        return values

    def texts(self, name: str) -> NDArray[np.object_]:
        """`N` identifiers or texts, None where nothing stands."""
        return identifiers(self.raw(name))

    def raw(self, name: str) -> Any:  # Any: a column
        """The column as it was read."""
        return self._chunk.cells(self._names[name])

    def first(self, groups: Sequence[Sequence[str]]) -> Sequence[str] | None:
        """The first group of names that are all there."""
        return next((g for g in groups if all(name in self for name in g)), None)
