"""Which format a table has, and a reader for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from al_service.survey.catalogs.columns import TableSource
from al_service.survey.catalogs.fits_table import FitsTable
from al_service.survey.catalogs.parquet import ParquetTable
from al_service.survey.catalogs.plain_files import plain_file
from al_service.survey.catalogs.text_table import TextTable
from al_service.survey.catalogs.votable import VOTable


class TableFormat(StrEnum):
    """Formats of tables, recognized by their first bytes and never by their names."""

    FITS = "fits"
    VOTABLE = "votable"
    PARQUET = "parquet"
    TEXT = "text"  # CSV, ECSV


def format_of(path: Path) -> TableFormat:
    """The format of a plain file."""
    with path.open("rb") as file:
        start = file.read(1024).removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"SIMPLE  ="):
        return TableFormat.FITS
    if start.startswith(b"PAR1"):
        return TableFormat.PARQUET
    if start.startswith(b"<"):
        return TableFormat.VOTABLE
    return TableFormat.TEXT


@contextmanager
def open_table(path: Path, *, hdu: str | None = None) -> Iterator[TableSource]:
    """A table of any format, compressed or not.

    Args:
        path: the file.
        hdu: number or name of the HDU of a FITS file; default: its first table.

    Raises:
        UnreadableFile: it is no table.
    """
    with plain_file(path) as plain:
        yield _open(plain, path, hdu)


def _open(plain: Path, shown: Path, hdu: str | None) -> TableSource:
    match format_of(plain):
        case TableFormat.FITS:
            return FitsTable(plain, shown=shown, hdu=hdu)
        case TableFormat.PARQUET:
            return ParquetTable(plain, shown=shown)
        case TableFormat.VOTABLE:
            return VOTable(plain, shown=shown)
        case TableFormat.TEXT:
            return TextTable(plain, shown=shown)
