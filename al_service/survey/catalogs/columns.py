"""Columns of a part of a table, whatever format they were read from.

A column is a numpy array (FITS: numbers, text, or `N x B` vectors) or an Arrow array
(everything else; text formats hand over text). These functions are the only ones that
look inside.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from al_service.errors import InvalidInput, Problem

Column = Any  # numpy or Arrow array: pyarrow ships no types

CHUNK_ROWS: Final = 20_000
"""Rows read at a time: 25 columns of float64 are 4 MB."""

EMPTY: Final = frozenset({"", "null", "none", "nan", "n/a", "--", r"\n"})
"""How text tables write that there is no number, in lower case."""


@dataclass(frozen=True)
class TableChunk:
    """Some rows of a table."""

    places: Sequence[str]
    """`N` names of the rows for people: `row 7`, `line 9`; made when asked for."""
    columns: Mapping[str, Column]

    def __len__(self) -> int:
        return len(self.places)

    def cells(self, name: str, *, vectors: bool = False) -> Column:
        """A column whose cells are numbers or texts.

        Args:
            name: of the column.
            vectors: a cell may hold several numbers.

        Raises:
            InvalidInput: the cells are something else.
        """
        column = self.columns[name]
        if isinstance(column, np.ndarray):
            if column.ndim > 1 + vectors:
                raise InvalidInput(
                    f"column {name}: expected one value per row, found"
                    f" {' x '.join(str(n) for n in column.shape[1:])} of them"
                )
            return column
        return _plain_cells(column, name, vectors)


class TableSource(Protocol):
    """A table that is read in parts."""

    path: Path
    problems: list[Problem]
    """Rows that are no rows of a table; taken away by whoever reads."""
    units: dict[str, str]
    """Column name to the unit that the file states, empty where it states none; every
    column is here, in the order of the file."""
    n_rows: int | None
    """How many rows there are; None where only reading tells."""

    def chunks(self, names: Sequence[str]) -> Iterator[TableChunk]:
        """Some columns of every row, in order."""
        ...


class Places(Sequence[str]):
    """Row names that are made only when somebody asks."""

    def __init__(self, noun: str, first: int, count: int) -> None:
        self._noun, self._first, self._count = noun, first, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: Any) -> Any:  # Any: slices are never asked for
        if index >= self._count:
            raise IndexError(index)
        return f"{self._noun} {self._first + int(index)}"


def _plain_cells(column: Column, name: str, vectors: bool) -> Column:
    """Arrow's numbers, booleans and texts as they are; categories and times as text."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _plain_cells(column.dictionary_decode(), name, vectors)
    if pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind):
        if vectors:
            return column
        raise InvalidInput(f"column {name}: expected one value per row, found {kind}")
    is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind)
    if is_number or _is_text(column) or pa.types.is_boolean(kind):
        return column
    try:
        return pc.cast(column, pa.string())
    except pa.ArrowException as error:
        raise InvalidInput(
            f"column {name}: expected numbers or text, found {kind}"
        ) from error


def texts(column: Column) -> NDArray[np.object_]:
    """`N` texts without blanks around them; None where there is nothing."""
    if isinstance(column, np.ndarray):
        if column.dtype.kind not in "OUS":
            return column.astype(str).astype(object)
        stripped = [_decoded(cell).strip() or None for cell in column]
        return np.array([*stripped, None], dtype=object)[:-1]
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        column = pc.cast(column, pa.string())
    cells = pc.utf8_trim_whitespace(column).to_pylist()
    return np.array([*(cell or None for cell in cells), None], dtype=object)[:-1]


def _decoded(cell: object) -> str:
    """Texts of FITS that are not ASCII arrive as bytes."""
    return cell.decode(errors="replace") if isinstance(cell, bytes) else str(cell)


def is_floating(column: Column) -> bool:
    """Whether a column holds floating-point numbers: no place for identifiers."""
    if isinstance(column, np.ndarray):
        return bool(column.dtype.kind == "f")
    return bool(pa.types.is_floating(column.type))


def numbers(column: Column) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Numbers of a column.

    Args:
        column: `N` or `N x B` cells.

    Returns:
        The numbers, NaN where there is nothing, and flags of cells that are no number.
    """
    if isinstance(column, np.ndarray) and column.dtype.kind in "biuf":
        return column.astype(np.float64), np.zeros(column.shape, bool)
    if isinstance(column, np.ndarray):
        return _parsed(column.tolist(), column.shape)
    if pa.types.is_fixed_size_list(column.type) or pa.types.is_list(column.type):
        return _vectors(column)
    if not _is_text(column):
        return _cast(column), np.zeros(len(column), bool)
    try:
        return _cast(column), np.zeros(len(column), bool)
    except pa.ArrowInvalid:
        return _parsed(column.to_pylist(), (len(column),))


def _is_text(column: Column) -> bool:
    return bool(
        pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    )


def _cast(column: Column) -> NDArray[np.float64]:
    if pa.types.is_boolean(column.type):
        column = pc.cast(column, pa.int8())
    floats = pc.cast(column, pa.float64(), safe=False)
    return np.asarray(floats.to_numpy(zero_copy_only=False), dtype=np.float64)


def _vectors(column: Column) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    rows = column.to_pylist()
    width = max((len(row) for row in rows if row is not None), default=0)
    values = np.full((len(rows), width), np.nan)
    bad = np.zeros((len(rows), width), bool)
    for place, row in enumerate(rows):
        if row is None:
            continue
        if len(row) != width:
            bad[place] = True
            continue
        values[place], bad[place] = _parsed(row, (width,))
    return values, bad


def _parsed(
    cells: Sequence[Any],  # Any: whatever stands there
    shape: tuple[int, ...],
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    values, bad = np.full(shape, np.nan), np.zeros(shape, bool)
    if len(shape) != 1:
        return values, ~bad
    for place, cell in enumerate(cells):
        text = "" if cell is None else str(cell).strip()
        if text.lower() in EMPTY:
            continue
        try:
            # Python reads 1_000 as a number; no catalog means that.
            values[place] = float(text if "_" not in text else "no")
        except ValueError:
            bad[place] = True
    return values, bad
