"""FITS binary tables (https://fits.gsfc.nasa.gov/fits_standard.html, version 4.0).

The standard knows ASCII; texts are written in UTF-8, which astropy and fitsio read. A
column of texts is as wide as its longest one.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from al_service.exports.columns import (
    POSITION,
    Block,
    Blocks,
    Cell,
    Column,
    Heading,
    Kind,
    Parts,
    Unit,
    counted,
)

RECORD: Final = 2880
"""Bytes: every part of a FITS file is a multiple of it."""

NOTHING: Final = -1
"""What a whole number is where there is none; `TNULL` says so."""

MOST_BYTES: Final = 4 * 2**20
"""Of rows at a time, however wide the texts are."""

TYPES: Final = {
    Kind.NUMBER: ("1D", ">f8"),
    Kind.SHORT: ("1I", ">i2"),
    Kind.WHOLE: ("1K", ">i8"),
    Kind.FLAG: ("1L", "S1"),
}
"""`TFORM`, and numpy's word for it."""

UNITS: Final = {
    Unit.NONE: "",
    Unit.DEGREE: "deg",
    Unit.LOG_SFR: "log(solMass/yr)",  # section 4.3.1 has `log`, and no `dex`
}


def write_fits(heading: Heading, blocks: Blocks) -> Parts:
    """A table as FITS: a primary HDU without data, and a binary table.

    A missing number is NaN, a missing whole number `TNULL`, a missing text empty.
    """
    dtype = np.dtype(
        [
            (f"column {place}", _type(heading, column)[1])
            for place, column in enumerate(heading.columns)
        ]
    )
    yield _header(heading, dtype.itemsize)
    most = max(MOST_BYTES // dtype.itemsize, 1)
    for block in counted(heading, blocks):
        for first in range(0, len(block[0]), most):
            part = [cells[first : first + most] for cells in block]
            yield _rows(heading, dtype, part).tobytes()
    yield bytes(-dtype.itemsize * heading.n_rows % RECORD)


def _type(heading: Heading, column: Column) -> tuple[str, str]:
    if column.kind is not Kind.TEXT:
        return TYPES[column.kind]
    width = max(heading.widths[column.name], 1)
    return f"{width}A", f"S{width}"


def _rows(heading: Heading, dtype: np.dtype[np.void], block: Block) -> NDArray[np.void]:
    rows = np.zeros(len(block[0]), dtype)
    for place, (column, cells) in enumerate(zip(heading.columns, block, strict=True)):
        rows[f"column {place}"] = _array(column.kind, cells)
    return rows


def _array(kind: Kind, cells: Sequence[Cell]) -> NDArray[np.generic]:
    match kind:
        case Kind.TEXT:
            return np.array([str(cell or "").encode() for cell in cells])
        case Kind.NUMBER:
            return np.array(cells, np.float64)  # None becomes NaN
        case Kind.FLAG:
            return np.where(np.array(cells, np.bool_), b"T", b"F")
        case _:
            return np.array([NOTHING if cell is None else cell for cell in cells])


def _header(heading: Heading, row_bytes: int) -> bytes:
    table = fits.Header()
    table["XTENSION"] = ("BINTABLE", "binary table")
    table["BITPIX"] = 8
    table["NAXIS"] = 2
    table["NAXIS1"] = (row_bytes, "bytes of a row")
    table["NAXIS2"] = (heading.n_rows, "rows")
    table["PCOUNT"] = 0
    table["GCOUNT"] = 1
    table["TFIELDS"] = len(heading.columns)
    table["EXTNAME"] = "TABLE"
    for number, column in enumerate(heading.columns, 1):
        _describe(table, number, column, _type(heading, column)[0])
    if {column.name for column in heading.columns} >= set(POSITION):
        table["RADESYS"] = ("ICRS", "of ra and dec")
    table["TITLE"] = _ascii(heading.description)
    for fact in heading.facts:
        value = _ascii(fact.value) if isinstance(fact.value, str) else fact.value
        table[fact.keyword] = value
        table.comments[fact.keyword] = _comment(value, fact.description)
    primary = fits.PrimaryHDU().header
    return (str(primary.tostring()) + str(table.tostring())).encode("ascii")


def _describe(table: fits.Header, number: int, column: Column, form: str) -> None:
    table[f"TTYPE{number}"] = column.name
    table[f"TFORM{number}"] = form
    if column.unit:
        table[f"TUNIT{number}"] = UNITS[column.unit]
    if column.kind is Kind.WHOLE:
        table[f"TNULL{number}"] = NOTHING
    # Conventions of TOPCAT and others; the standard has no place for them.
    if column.ucd:
        table[f"TUCD{number}"] = column.ucd
    table[f"TCOMM{number}"] = column.description


def _ascii(text: str) -> str:
    """A text as a header can hold it: what is not ASCII is spelled by its number."""
    plain = " ".join(text.split())
    return plain.encode("ascii", "backslashreplace").decode()


def _comment(value: object, comment: str) -> str:
    """The comment where it fits beside the value on a card of 80; else none."""
    return comment if len(repr(value)) + len(comment) < LONGEST_CARD else ""


LONGEST_CARD: Final = 60
"""Letters of value and comment that are sure to fit on one card."""
