"""VOTable 1.3 (https://www.ivoa.net/documents/VOTable/20130920/), in its text form.

Version 1.3 and not a later one: its units follow the standard of the CDS, in which the
logarithm of a quantity has a spelling that programs understand, `[solMass.yr-1]`. The
text form is the one that can be read and written row by row at any size.
"""

import re
from collections.abc import Callable
from typing import Final
from xml.sax.saxutils import quoteattr

from al_service.exports.columns import (
    POSITION,
    Blocks,
    Cell,
    Column,
    Fact,
    Heading,
    Kind,
    Parts,
    Unit,
    counted,
)

TYPES: Final = {
    Kind.TEXT: 'datatype="unicodeChar" arraysize="*"',
    Kind.NUMBER: 'datatype="double"',
    Kind.SHORT: 'datatype="short"',
    Kind.WHOLE: 'datatype="long"',
    Kind.FLAG: 'datatype="boolean"',
}

UNITS: Final = {Unit.NONE: "", Unit.DEGREE: "deg", Unit.LOG_SFR: "[solMass.yr-1]"}

_KINDS: Final = {
    str: Kind.TEXT,
    float: Kind.NUMBER,
    int: Kind.WHOLE,
    bool: Kind.FLAG,
}

_SPECIAL: Final = re.compile(
    "[&<>\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]"
)

_ESCAPES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}

REPLACEMENT: Final = "\ufffd"
"""Stands for control characters, which XML cannot hold."""


def write_votable(heading: Heading, blocks: Blocks) -> Parts:
    """A table as VOTable; a missing value is an empty cell."""
    yield _head(heading).encode()
    spell = [_SPELLINGS[column.kind] for column in heading.columns]
    for block in counted(heading, blocks):
        columns = [
            ["" if cell is None else one(cell) for cell in cells]
            for one, cells in zip(spell, block, strict=True)
        ]
        rows = zip(*columns, strict=True)
        yield "".join(
            f"<TR><TD>{'</TD><TD>'.join(row)}</TD></TR>\n" for row in rows
        ).encode()
    yield b"</TABLEDATA></DATA>\n</TABLE>\n</RESOURCE>\n</VOTABLE>\n"


def _head(heading: Heading) -> str:
    return "".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>\n',
            '<VOTABLE version="1.3" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">\n',
            '<RESOURCE type="results">\n',
            '<COOSYS ID="icrs" system="ICRS"/>\n',
            *map(_param, heading.facts),
            f"<TABLE ID='rows' name={quoteattr(_escaped(heading.name, {}))}"
            f' nrows="{heading.n_rows}">\n',
            f"<DESCRIPTION>{_escaped(heading.description)}</DESCRIPTION>\n",
            *map(_field, heading.columns),
            "<DATA><TABLEDATA>\n",
        ]
    )


def _param(fact: Fact) -> str:
    kind = _KINDS[type(fact.value)]
    spelled = (
        fact.value if isinstance(fact.value, str) else _SPELLINGS[kind](fact.value)
    )
    value = quoteattr(_escaped(spelled, {}))
    return (
        f'<PARAM name="{fact.name}" {TYPES[kind]} value={value}>'
        f"<DESCRIPTION>{_escaped(fact.description)}</DESCRIPTION></PARAM>\n"
    )


def _field(column: Column) -> str:
    written = f'<FIELD name="{column.name}" {TYPES[column.kind]}'
    if column.unit:
        written += f' unit="{UNITS[column.unit]}"'
    if column.ucd:
        written += f' ucd="{column.ucd}"'
    if column.name in POSITION:
        written += ' ref="icrs"'
    description = _escaped(column.description)
    return f"{written}><DESCRIPTION>{description}</DESCRIPTION></FIELD>\n"


def _text(cell: Cell) -> str:
    return _escaped(str(cell))


def _escaped(text: str, escapes: dict[str, str] = _ESCAPES) -> str:
    return _SPECIAL.sub(
        lambda found: escapes.get(
            found[0], found[0] if found[0] in _ESCAPES else REPLACEMENT
        ),
        text,
    )


_SPELLINGS: Final[dict[Kind, Callable[[Cell], str]]] = {
    Kind.TEXT: _text,
    Kind.NUMBER: repr,
    Kind.SHORT: str,
    Kind.WHOLE: str,
    Kind.FLAG: lambda cell: "true" if cell else "false",
}
