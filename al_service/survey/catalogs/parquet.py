"""Parquet files, read a group of rows at a time."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from al_service.errors import Problem, UnreadableFile
from al_service.survey.catalogs.column_names import refuse_repeated
from al_service.survey.catalogs.columns import CHUNK_ROWS, Places, TableChunk

BUFFER_BYTES: Final = 2**16
"""Of each column; without it Arrow reads whole columns of a group of rows."""


class ParquetTable:
    """A Parquet file; units are in the metadata of its fields, where it states any."""

    def __init__(self, path: Path, *, shown: Path) -> None:
        self.path = shown
        self.problems: list[Problem] = []
        try:
            # Without a buffer of whole row groups, which may be the whole file.
            self._file = pq.ParquetFile(
                path, pre_buffer=False, buffer_size=BUFFER_BYTES
            )
            schema = self._file.schema_arrow
        except (pa.ArrowException, OSError) as error:
            raise UnreadableFile(shown, f"expected Parquet: {error}") from error
        refuse_repeated(shown, schema.names, place="the schema")
        self.n_rows: int | None = self._file.metadata.num_rows
        self.units = {
            field.name: ((field.metadata or {}).get(b"unit") or b"").decode(
                errors="replace"
            )
            for field in schema
        }

    def chunks(self, names: Sequence[str]) -> Iterator[TableChunk]:
        """Some columns of every row, in order."""
        first = 1
        try:
            for batch in self._file.iter_batches(CHUNK_ROWS, columns=list(names)):
                yield TableChunk(
                    Places("row", first, batch.num_rows),
                    {name: batch.column(name) for name in names},
                )
                first += batch.num_rows
        except (pa.ArrowException, OSError) as error:
            raise UnreadableFile(
                self.path, f"row {first}: expected Parquet: {error}"
            ) from error
