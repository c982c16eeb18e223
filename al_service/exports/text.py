"""CSV (RFC 4180) and ECSV (Enhanced CSV 1.0, astropy APE 6), row by row."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Literal

from al_service.exports.columns import (
    Blocks,
    Cell,
    Column,
    Heading,
    Kind,
    Parts,
    Unit,
    counted,
)
from al_service.exports.spreadsheets import shield

ECSV_TYPES: Final = {
    Kind.TEXT: "string",
    Kind.NUMBER: "float64",
    Kind.SHORT: "int16",
    Kind.WHOLE: "int64",
    Kind.FLAG: "bool",
}

ECSV_UNITS: Final = {
    Unit.NONE: "",
    Unit.DEGREE: "deg",
    Unit.LOG_SFR: "dex(solMass / yr)",
}

_ENDS: Final = "\n\r\v\f\x1c-\x1e\x85\u2028\u2029"
"""Letters that end a line, for Python."""

_LOST_IN_ECSV: Final = re.compile(rf"[{_ENDS}](?=\s*(?:#|[{_ENDS}]|$))")
"""Ends of lines before a line that readers of ECSV drop, even within quotes: an empty
one, or one that begins with `#`."""


def write_csv(heading: Heading, blocks: Blocks) -> Parts:
    """A table as CSV in UTF-8.

    CSV has no header that could hold facts: where they shall not be lost, they are
    columns of their own, behind the table's. A missing value is an empty cell.
    """
    repeated = heading.facts if heading.repeats_facts else ()
    facts = [
        shield(fact.value) if isinstance(fact.value, str) else fact.value
        for fact in repeated
    ]
    names = [column.name for column in heading.columns]
    yield _lines([[*names, *(fact.name for fact in repeated)]])
    shields = [shield if column.handwritten else None for column in heading.columns]
    for block in counted(heading, blocks):
        rows = zip(*_changed(block, shields), strict=True)
        yield _lines([*row, *facts] for row in rows)


def write_ecsv(heading: Heading, blocks: Blocks) -> Parts:
    """A table as ECSV: a YAML header with units, UCDs and facts, then CSV.

    A missing value is an empty cell. Of a text in several lines readers drop the empty
    ones and those that begin with `#`: such lines are joined to the one before.
    """
    yield _ecsv_header(heading)
    changes = [
        _join_lines if column.kind is Kind.TEXT else None for column in heading.columns
    ]
    for block in counted(heading, blocks):
        rows = zip(*_changed(block, changes), strict=True)
        # In quotes, or an identifier that begins with # would begin a comment.
        yield _lines(rows, csv.QUOTE_NONNUMERIC)


def _changed(
    block: Sequence[Sequence[Cell]], changes: Sequence[Callable[[str], str] | None]
) -> list[Sequence[Cell]]:
    return [
        cells if change is None else [cell and change(str(cell)) for cell in cells]
        for cells, change in zip(block, changes, strict=True)
    ]


def _lines(
    rows: Iterable[Iterable[Cell]], quoting: Literal[0, 2] = csv.QUOTE_MINIMAL
) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n", quoting=quoting).writerows(rows)
    return text.getvalue().encode()


def _join_lines(text: str) -> str:
    return _LOST_IN_ECSV.sub(" ", text)


def ecsv_yaml(heading: Heading) -> str:
    """The description of a table that astropy keeps in ECSV and in Parquet.

    Each line holds JSON, which is YAML as well.
    """
    facts = {fact.name: fact.value for fact in heading.facts}
    return "\n".join(
        [
            "datatype:",
            *(f"- {json.dumps(_described(column))}" for column in heading.columns),
            f"meta: {json.dumps({'description': heading.description, **facts})}",
        ]
    )


def _described(column: Column) -> dict[str, object]:
    described: dict[str, object] = {
        "name": column.name,
        "datatype": ECSV_TYPES[column.kind],
        "description": column.description,
    }
    if column.unit:
        described["unit"] = ECSV_UNITS[column.unit]
    if column.ucd:
        described["meta"] = {"ucd": column.ucd}
    return described


def _ecsv_header(heading: Heading) -> bytes:
    yaml = [
        "%ECSV 1.0",
        "---",
        "delimiter: ','",
        *ecsv_yaml(heading).splitlines(),
        "schema: astropy-2.0",
    ]
    names = ",".join(column.name for column in heading.columns)
    return "".join([*(f"# {line}\n" for line in yaml), names, "\n"]).encode()
