"""A table on disk that grows in parts, and whose columns are read in parts."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from al_service.survey.importing.scratch_file import ScratchFile

Cells = Any  # Arrow array or record batch: pyarrow ships no types


class GrowingTable(ScratchFile):
    """A file in Arrow's streaming format; what was appended can be read at once."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._writer: Cells = None
        self._names: list[str] = []

    def append(self, columns: Mapping[str, Cells]) -> None:
        """Add rows; those of the first call decide on the columns and their types."""
        if self._writer is None:
            self._names = list(columns)
            fields = [(name, column.type) for name, column in columns.items()]
            self._writer = pa.ipc.new_stream(self._file, pa.schema(fields))
        self._writer.write_batch(pa.RecordBatch.from_pydict(dict(columns)))

    def parts(self, names: Sequence[str]) -> Iterator[Cells]:
        """Some columns of all rows, in the parts in which they were added."""
        if self._writer is None:
            return
        self._file.flush()
        options = pa.ipc.IpcReadOptions(
            included_fields=[self._names.index(name) for name in names]
        )
        with (
            pa.OSFile(str(self._path)) as file,
            pa.ipc.open_stream(file, options=options) as reader,
        ):
            yield from reader

    def column(self, name: str) -> Iterator[Cells]:
        """The parts of one column."""
        for part in self.parts([name]):
            yield part.column(name)

    def take(self, name: str, rows: NDArray[np.int64]) -> list[Any]:
        """Cells of a column by their rows, in any order; it is read from its start."""
        wanted, place = np.unique(rows, return_inverse=True)
        cells: list[Any] = []  # Any: text or numbers
        first = 0
        for part in self.column(name):
            end = np.searchsorted(wanted, first + len(part))
            here = pa.array(wanted[len(cells) : end] - first)
            cells += part.take(here).to_pylist()
            first += len(part)
        return [cells[number] for number in place.tolist()]
