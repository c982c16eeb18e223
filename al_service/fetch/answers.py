"""What SkyServer answers: rows, or one of its several ways of saying no."""

import csv
import html
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from al_service.fetch.problems import NotWhole, RefusedQuery, RoundedIds
from al_service.fetch.sample import COLUMNS, END_COLUMN, ID_COLUMNS, ORDER_COLUMN
from al_service.fetch.sas import Field, Observation

HEADER: Final = (ORDER_COLUMN, *COLUMNS, END_COLUMN)

_NAME_OF_RESULT: Final = "#"
"""Answers begin with a line `#Table1`."""

_NO_ROWS: Final = re.compile(
    r"(no rows|no objects) (have been|were)? ?found", re.IGNORECASE
)
_SQL_BLAMED: Final = re.compile(
    r"syntax|invalid (column|object)|not (bound|allowed)|SQL", re.IGNORECASE
)
_QUOTED: Final = 300
"""So much of an answer that is no table is worth repeating."""

_MJD_ZERO: Final = 50000

_ROUNDED_TO: Final = (256, 1000)
"""Near 1.24e18 a float64 knows multiples of 256; printed, it has 15 to 17 digits."""

_ENOUGH: Final = 4
"""So many objects do not end in the same zeros by accident: 256^-4."""


@dataclass(frozen=True, slots=True)
class CatalogRow:
    """One galaxy as SkyServer describes it, every value as it was written."""

    values: tuple[str, ...]
    """In the order of `COLUMNS`."""
    drawn: int
    """Its place in the draw."""

    def __getitem__(self, column: str) -> str:
        return self.values[_PLACE[column]]

    @property
    def observation(self) -> Observation:
        """Its spectrum."""
        return Observation(
            plate=int(self["plate"]),
            mjd=int(self["mjd"]),
            fiber=int(self["fiberID"]),
            run2d=self["run2d"].strip(),
        )

    @property
    def field(self) -> Field:
        """The field of the imaging survey that holds it."""
        return Field(
            run=int(self["run"]),
            rerun=int(self["rerun"]),
            camcol=int(self["camcol"]),
            field=int(self["field"]),
        )


_PLACE: Final[Mapping[str, int]] = {name: i for i, name in enumerate(COLUMNS)}


def read_answer(text: str) -> list[CatalogRow]:
    """The rows of an answer.

    Args:
        text: the body of an answer with status 200.

    Raises:
        RefusedQuery: It is an error page or a message, not a table.
        RoundedIds: The identifiers were numbers somewhere on the way.
        NotWhole: The table breaks off.
    """
    body = "".join(
        line
        for line in text.splitlines(keepends=True)
        if line.strip() and not line.startswith(_NAME_OF_RESULT)
    )
    lines = csv.reader(io.StringIO(body))
    header = tuple(name.strip() for name in next(lines, []))
    if _folded(header) != _folded(HEADER):
        if _NO_ROWS.search(text):
            return []
        if header and ",".join(_folded(HEADER)).startswith(",".join(_folded(header))):
            raise NotWhole("SkyServer's answer breaks off within its header")
        raise RefusedQuery(refusal(text))
    rows = [_row(number, line) for number, line in enumerate(lines, start=1)]
    check_ids(rows)
    return rows


def check_ids(rows: Sequence[CatalogRow]) -> None:
    """Refuse identifiers that a float64 has rounded.

    A specObjID is made of plate, fiber and night (https://www.sdss4.org/dr17/help/
    glossary/#specobj), which stand beside it: they must agree.

    Raises:
        RoundedIds: The first identifier that is no whole number, or says something else
            than its row.
    """
    for row in rows:
        for name in ID_COLUMNS:
            if not row[name].isdecimal():
                raise RoundedIds(_rounded(name, row))
        number = int(row["specObjID"])
        said = (number >> 50, (number >> 38) & 0xFFF, ((number >> 24) & 0x3FFF))
        seen = row.observation
        if said != (seen.plate, seen.fiber, seen.mjd - _MJD_ZERO):
            raise RoundedIds(_rounded("specObjID", row))
    objects = [int(row["bestObjID"]) for row in rows]
    if len(objects) >= _ENOUGH and any(
        all(number % step == 0 for number in objects) for step in _ROUNDED_TO
    ):
        raise RoundedIds(_rounded("bestObjID", rows[0]))


def _row(number: int, line: list[str]) -> CatalogRow:
    if len(line) != len(HEADER):
        raise NotWhole(
            f"row {number} of SkyServer's answer: expected {len(HEADER)} values, "
            f"found {len(line)}"
        )
    drawn, *values, end = (value.strip() for value in line)
    if end != "1":
        raise NotWhole(f"row {number} of SkyServer's answer breaks off")
    try:
        row = CatalogRow(tuple(values), int(drawn))
        _ = row.observation, row.field
    except ValueError as error:
        raise RefusedQuery(
            f"row {number} of SkyServer's answer: expected whole numbers for "
            f"{ORDER_COLUMN}, plate, mjd, fiberID, run, rerun, camcol and field: "
            f"{error}"
        ) from error
    return row


def _folded(names: Iterable[str]) -> tuple[str, ...]:
    """SkyServer writes names as its schema of the day does."""
    return tuple(name.lower() for name in names)


def _rounded(name: str, row: CatalogRow) -> str:
    return (
        f"{row.observation.name}: {name} {row[name]!r} was rounded on the way: "
        "a float64 holds 53 of its 64 bits. "
        "Export identifiers as text: CAST(… AS varchar(20))"
    )


def blames_sql(text: str) -> bool:
    """Whether an error page speaks of the query: then trying again is no use."""
    return _SQL_BLAMED.search(text) is not None


def refusal(text: str) -> str:
    """The message of an error page, without its markup."""
    words = html.unescape(
        re.sub(r"<(script|style).*?</\1>|<[^>]*>", " ", text, flags=re.DOTALL)
    )
    said = " ".join(words.split())[:_QUOTED]
    return f"SkyServer refused the query: {said or 'an empty answer'}"
