"""What a table is before it has a format: described columns, facts, blocks of rows."""

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from al_service.errors import ALServiceError

Cell = str | float | int | bool | None
"""One value; None where there is none."""

Block = Sequence[Sequence[Cell]]
"""Some rows, column by column: all of one length, in the order of the columns."""

Blocks = Iterable[Block]

Parts = Generator[bytes, None, None]
"""A file while it is written; what it reads from is let go when it is closed."""


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"  # identifiers, words; no value and no letters are one
    NUMBER = "number"  # float64; no value is NaN, or masked
    SHORT = "short"  # whole, 16 bits, always there
    WHOLE = "whole"  # whole, 64 bits, positive where there is a value
    FLAG = "flag"  # true or false, always there


class Unit(StrEnum):
    """Units of columns, spelled by each format in its own way."""

    NONE = ""
    DEGREE = "deg"
    LOG_SFR = "log(Msun/yr)"  # log10 of solar masses per year, as `survey.targets`


@dataclass(frozen=True)
class Column:
    """One column, as every format describes it."""

    name: str
    kind: Kind
    description: str
    ucd: str = ""
    """Unified Content Descriptor, UCD1+ (IVOA)."""
    unit: Unit = Unit.NONE
    handwritten: bool = False
    """Whether people type it: CSV keeps spreadsheets from running it."""


@dataclass(frozen=True)
class Fact:
    """Something that holds for a whole table, such as the seed of its campaign."""

    name: str
    value: str | int | float | bool
    description: str
    keyword: str
    """Its name in a FITS header: at most eight letters."""


@dataclass(frozen=True)
class Heading:
    """Everything about a table but its rows."""

    name: str
    description: str
    columns: tuple[Column, ...]
    facts: tuple[Fact, ...]
    n_rows: int
    widths: Mapping[str, int] = field(default_factory=dict)
    """Column to the most bytes of a text in it, in UTF-8; FITS has to know."""
    repeats_facts: bool = False
    """Whether CSV, which has no header for facts, repeats them in every row."""


class WrongRowCount(ALServiceError):
    """More or fewer rows came than the heading has said."""

    def __init__(self, heading: Heading, found: int) -> None:
        super().__init__(
            f"{heading.name}: expected {heading.n_rows} rows, found {found}"
        )


POSITION: Final = ("ra", "dec")
"""Columns whose system is ICRS."""


def counted(heading: Heading, blocks: Blocks) -> Iterable[Block]:
    """The blocks as they come, once their rows are as many as was said.

    Raises:
        WrongRowCount: they are not; what was written is no whole table.
    """
    found = 0
    for block in blocks:
        found += len(block[0])
        yield block
    if found != heading.n_rows:
        raise WrongRowCount(heading, found)


def widths_of(columns: Sequence[Column], block: Block) -> dict[str, int]:
    """The most bytes of a text in each column of texts."""
    return {
        column.name: max((len(str(cell or "").encode()) for cell in cells), default=0)
        for column, cells in zip(columns, block, strict=True)
        if column.kind is Kind.TEXT
    }
