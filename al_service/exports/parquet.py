"""Parquet, in groups of rows of bounded size."""

import io
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from al_service.exports.columns import (
    Block,
    Blocks,
    Column,
    Heading,
    Kind,
    Parts,
    counted,
)
from al_service.exports.text import ECSV_UNITS, ecsv_yaml

GROUP_ROWS: Final = 2**16
GROUP_BYTES: Final = 16 * 2**20
"""A group is written when it has so many rows or bytes: it is held in memory whole."""

TYPES: Final[dict[Kind, Any]] = {  # Any: Arrow is untyped
    Kind.TEXT: pa.string(),
    Kind.NUMBER: pa.float64(),
    Kind.SHORT: pa.int16(),
    Kind.WHOLE: pa.int64(),
    Kind.FLAG: pa.bool_(),
}


class _Drain(io.RawIOBase):
    """Takes what is written until somebody collects it."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        """It takes bytes."""
        return True

    def write(self, data: Any) -> int:  # Any: Arrow hands in buffers
        """Keep some bytes."""
        self._parts.append(bytes(data))
        return len(data)

    def collect(self) -> bytes:
        """What was written since the last time."""
        collected = b"".join(self._parts)
        self._parts.clear()
        return collected


def write_parquet(heading: Heading, blocks: Blocks) -> Parts:
    """A table as Parquet.

    A missing number is null, a missing text is empty. Units, UCDs and descriptions are
    in the metadata of the fields and, for astropy, in the schema's.
    """
    drain = _Drain()
    schema = _schema(heading)
    waiting: list[Any] = []  # Any: batches of Arrow
    with pq.ParquetWriter(drain, schema, compression="zstd") as writer:
        for block in counted(heading, blocks):
            waiting.append(_batch(schema, heading, block))
            if (
                sum(batch.num_rows for batch in waiting) >= GROUP_ROWS
                or sum(batch.nbytes for batch in waiting) >= GROUP_BYTES
            ):
                writer.write_table(pa.Table.from_batches(waiting, schema))
                waiting.clear()
                yield drain.collect()
        if waiting:
            writer.write_table(pa.Table.from_batches(waiting, schema))
    yield drain.collect()


def _schema(heading: Heading) -> Any:  # Any: Arrow is untyped
    widths = {
        f"table::len::{column.name}": str(heading.widths[column.name])
        for column in heading.columns
        if column.kind is Kind.TEXT
    }
    return pa.schema(
        [_field(column) for column in heading.columns],
        {"table_meta_yaml": ecsv_yaml(heading), **widths},
    )


def _field(column: Column) -> Any:  # Any: Arrow is untyped
    described = {
        "unit": ECSV_UNITS[column.unit],
        "ucd": column.ucd,
        "description": column.description,
    }
    known = {name: text for name, text in described.items() if text}
    return pa.field(column.name, TYPES[column.kind], metadata=known)


def _batch(schema: Any, heading: Heading, block: Block) -> Any:  # Any: Arrow
    columns = [
        [cell or "" for cell in cells] if column.kind is Kind.TEXT else list(cells)
        for column, cells in zip(heading.columns, block, strict=True)
    ]
    arrays = [
        pa.array(cells, field.type)
        for cells, field in zip(columns, schema, strict=True)
    ]
    return pa.record_batch(arrays, schema=schema)
