"""Formats of tables: what they are called, and who writes them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from al_service.exports.columns import Blocks, Heading, Parts
from al_service.exports.fits_table import write_fits
from al_service.exports.parquet import write_parquet
from al_service.exports.text import write_csv, write_ecsv
from al_service.exports.votable import write_votable


class TableFormat(StrEnum):
    """What labels can be exported as."""

    CSV = "csv"
    ECSV = "ecsv"  # CSV with a header of units and descriptions; astropy
    FITS = "fits"  # binary table
    VOTABLE = "votable"  # what the Virtual Observatory speaks: TOPCAT, Aladin
    PARQUET = "parquet"


class TargetListFormat(StrEnum):
    """What a batch can be exported as."""

    CSV = "csv"
    ECSV = "ecsv"
    FITS = "fits"
    VOTABLE = "votable"


@dataclass(frozen=True)
class _Manner:
    suffix: str
    media_type: str
    write: Callable[[Heading, Blocks], Parts]


_MANNERS: Final[Mapping[TableFormat, _Manner]] = {
    TableFormat.CSV: _Manner(
        "csv", "text/csv; charset=utf-8; header=present", write_csv
    ),
    TableFormat.ECSV: _Manner("ecsv", "text/plain; charset=utf-8", write_ecsv),
    TableFormat.FITS: _Manner("fits", "application/fits", write_fits),
    TableFormat.VOTABLE: _Manner("vot", "application/x-votable+xml", write_votable),
    TableFormat.PARQUET: _Manner(
        "parquet", "application/vnd.apache.parquet", write_parquet
    ),
}


def suffix_of(kind: TableFormat) -> str:
    """How names of such files end."""
    return _MANNERS[kind].suffix


def media_type_of(kind: TableFormat) -> str:
    """What HTTP calls it (IANA; the VOTable standard for VOTables)."""
    return _MANNERS[kind].media_type


def write_table(kind: TableFormat, heading: Heading, blocks: Blocks) -> Parts:
    """A table as the bytes of a file, in parts, in memory bounded by a block.

    Raises:
        WrongRowCount: the blocks are not what the heading has said.
    """
    return _MANNERS[kind].write(heading, blocks)
