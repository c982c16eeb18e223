"""Tables in FITS files (https://fits.gsfc.nasa.gov/fits_standard.html), by rows.

Oddities: integers say "nothing" by TNULL, text is padded with blanks, vectors of five
bands are one column, and a file that was cut off still opens: its size is checked.
"""

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.io.fits.verify import VerifyError

from al_service.errors import Problem, UnreadableFile
from al_service.survey.catalogs.column_names import refuse_repeated
from al_service.survey.catalogs.columns import CHUNK_ROWS, Column, Places, TableChunk

FITS_TROUBLE = (
    OSError,
    VerifyError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    MemoryError,
    RuntimeError,
)
"""What astropy raises on headers that contradict themselves."""


class FitsTable:
    """One table of a FITS file."""

    def __init__(self, path: Path, *, shown: Path, hdu: str | None = None) -> None:
        """Find the table.

        Args:
            path: the plain file.
            shown: what to call it in messages.
            hdu: number or name of the HDU; default: the first table with rows.
        """
        self.path = shown
        self.problems: list[Problem] = []
        self._plain = path
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with fits.open(path, memmap=True) as hdus:
                    self._place = self._find(hdus, hdu)
                    table = hdus[self._place]
                    self._check_size(table)
                    self.n_rows: int | None = int(table.header["NAXIS2"])
                    columns = table.columns
                    self._check_names(columns.names)
                    self.units = {c.name: str(c.unit or "") for c in columns}
                    self._nulls = {c.name: c.null for c in columns}
                    refuse_repeated(shown, columns.names, place=self._where)
        except FITS_TROUBLE as error:
            raise UnreadableFile(shown, f"expected a FITS table: {error}") from error

    def chunks(self, names: Sequence[str]) -> Iterator[TableChunk]:
        """Some columns of every row, in order."""
        first = 0
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with fits.open(self._plain, memmap=True) as hdus:
                    for first in range(0, self.n_rows or 0, CHUNK_ROWS):
                        rows = hdus[self._place].data[first : first + CHUNK_ROWS]
                        yield TableChunk(
                            Places(f"{self._where}, row", first + 1, len(rows)),
                            {name: self._column(rows, name) for name in names},
                        )
        except FITS_TROUBLE as error:
            raise UnreadableFile(
                self.path,
                f"{self._where}, from row {first + 1}: expected a FITS table: {error}",
            ) from error

    def _check_names(self, names: Sequence[str | None]) -> None:
        """A column whose name is damaged has none."""
        for number, name in enumerate(names, 1):
            if name is None:
                raise UnreadableFile(
                    self.path,
                    f"{self._where}: expected a name for every column (TTYPE{number}), "
                    "found none",
                )

    @property
    def _where(self) -> str:
        return f"HDU {self._place}"

    def _column(self, rows: Any, name: str) -> Column:  # Any: astropy is untyped
        values = np.asarray(rows[name])
        if values.dtype.kind in "iuf":
            values = values.astype(values.dtype.newbyteorder("="))
        null = self._nulls[name]
        if null is not None and values.dtype.kind in "iu":
            empty = values == int(null)
            if empty.any():
                if values.dtype.itemsize == 8:  # float64 would round identifiers
                    texts = values.astype(str).astype(object)
                    texts[empty] = ""
                    return texts
                return np.where(empty, np.nan, values)
        return values

    def _find(self, hdus: Any, wanted: str | None) -> int:  # Any: astropy is untyped
        kinds = [type(one).__name__ for one in hdus]
        tables = [
            place
            for place, one in enumerate(hdus)
            if isinstance(one, fits.BinTableHDU | fits.TableHDU)
        ]
        if wanted is None:
            full = [place for place in tables if hdus[place].header["NAXIS2"] > 0]
            if full or tables:
                return (full or tables)[0]
            raise UnreadableFile(
                self.path, f"expected a table, found only {', '.join(kinds)}"
            )
        named = [p for p in tables if hdus[p].name.lower() == wanted.lower()]
        found = [int(wanted)] if wanted.isdigit() else named
        if not found or found[0] not in tables:
            raise UnreadableFile(
                self.path,
                f"HDU {wanted!r}: expected a table, found HDUs"
                f" {', '.join(f'{n} {kind}' for n, kind in enumerate(kinds))}",
            )
        return found[0]

    def _check_size(self, table: Any) -> None:  # Any: astropy is untyped
        header, info = table.header, table.fileinfo()
        needed = info["datLoc"] + header["NAXIS1"] * header["NAXIS2"]
        found = self._plain.stat().st_size
        if found < needed:
            raise UnreadableFile(
                self.path,
                f"{self._where}: truncated: expected {needed:,} bytes, found {found:,}",
            )
