"""Tables as they are, and as astropy reads them."""

import math
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Table
from astropy.units import UnitsWarning

from al_service.exports.formats import TableFormat, suffix_of

NAMES = {
    TableFormat.CSV: "ascii.csv",
    TableFormat.ECSV: "ascii.ecsv",
    TableFormat.FITS: "fits",
    TableFormat.VOTABLE: "votable",
    TableFormat.PARQUET: "parquet",
}
"""What astropy calls them."""


def read(content: Iterable[bytes], kind: TableFormat, folder: Path) -> Any:
    """A file's bytes as a `Table`; astropy is untyped."""
    path = folder / f"table.{suffix_of(kind)}"
    path.write_bytes(b"".join(content))
    return read_file(path, kind)


def read_file(path: Path, kind: TableFormat) -> Any:
    options = {"converters": {"object_id": str}} if kind is TableFormat.CSV else {}
    with warnings.catch_warnings():
        # astropy does not know the FITS standard's `log(…)`: the unit stays a name.
        warnings.simplefilter("ignore", UnitsWarning)
        return Table.read(path, format=NAMES[kind], **options)


def plain(cells: Any) -> list[object]:
    """The cells of a column; None for what is masked, NaN or an empty text."""
    found: list[object] = []
    for cell, hidden in zip(cells, np.ma.getmaskarray(cells), strict=True):
        value = cell.item() if isinstance(cell, np.generic) else cell
        value = value.decode() if isinstance(value, bytes) else value
        nothing = value == "" or (isinstance(value, float) and math.isnan(value))
        found.append(None if hidden or nothing else value)
    return found
