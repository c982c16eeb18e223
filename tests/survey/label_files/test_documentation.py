"""The tables of docs/data.md on flags and missing codes are true."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from astropy.table import Table

from al_service.cli.label_file import read_labels as read_own_labels
from al_service.survey.catalogs.catalog import open_catalog
from al_service.survey.label_files.file_label import LabelFormat
from al_service.survey.label_files.reading import read_labels
from al_service.survey.targets import DEFAULT_TARGETS, is_missing
from tests.survey.catalogs.tables import galaxies
from tests.survey.label_files.files import (
    DESI_VI,
    GALSPEC,
    info,
    rates,
    redrock,
    spec_obj,
)

GUIDE: Final = (Path(__file__).parents[3] / "docs" / "data.md").read_text("utf-8")
ELSE: Final = "anything else"


def table(heading: str) -> list[list[str]]:
    """Cells of the rows below a heading row."""
    after = GUIDE.partition(f"\n{heading}\n")[2].splitlines()[1:]
    rows = []
    for line in after:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    assert rows, heading
    return rows


TRUST: Final = table("| format | column | value | quality |")


def cases() -> list[tuple[str, str, str, str]]:
    """Format, column, one value, and what the guide says of it."""
    found = []
    for kind, column, values, quality in TRUST:
        named = [v for k, c, v, _ in TRUST if (k, c) == (kind, column) and v != ELSE]
        taken = {one.strip() for value in named for one in value.split(",")}
        others = [str(n) for n in (0, 1, 2, 4, 5, 7, 128) if str(n) not in taken]
        found += [
            (kind.strip("`"), column.strip("`"), value.strip(), quality)
            for value in (others if values == ELSE else values.split(","))
        ]
    return found


def with_value(made: Table, column: str, value: str) -> Table:
    """A table of one good row in which one flag is set."""
    row = made[:1]
    if column in row.colnames:
        row[column] = [int(value)]
    return row


def csv_with_value(content: str, column: str, value: str) -> str:
    """The first row of a CSV in which one flag is set."""
    lines = [line for line in content.splitlines() if not line.startswith("#")]
    names, cells = lines[0].split(","), lines[1].split(",")
    cells[names.index(column)] = value
    return "\n".join([lines[0], ",".join(cells)]) + "\n"


def write_mpa_jhu(path: Path, column: str, value: str) -> None:
    with_value(rates(), column, value).write(path, format="fits")
    with_value(info(), column, value).write(path.with_name("info.fits"))


def write_marz(path: Path, column: str, value: str) -> None:
    path.write_text(f"#Name,FinZ,{column}\na,0.1,{value}\n")


WRITERS: Final[dict[str, Callable[[Path, str, str], object]]] = {
    "mpa-jhu": write_mpa_jhu,
    "galspec": lambda path, c, v: path.write_text(csv_with_value(GALSPEC, c, v)),
    "specobj": lambda path, c, v: with_value(spec_obj(), c, v).write(
        path, format="fits"
    ),
    "redrock": lambda path, c, v: with_value(redrock(), c, v).write(
        path, format="fits"
    ),
    "marz": write_marz,
    "desi-vi": lambda path, c, v: path.write_text(csv_with_value(DESI_VI, c, v)),
}


def quality_of(folder: Path, kind: str, column: str, value: str) -> str:
    """What the reader of a format makes of a flag, in the guide's words."""
    path = folder / "labels"
    if kind == "al":
        text = "" if value == "empty" else value
        lines = [f"object_id,z,{column}\n", f"a,0.1,{text}\n", f"b,,{text}\n"]
        rows = read_own_labels(lines, path)
        if value == "empty":
            return f"{rows[0].label.quality}, without values {rows[1].label.quality}"
        return str(rows[0].label.quality)
    if kind == "catalog":
        good = galaxies(1)
        good[column] = [int(value)]
        good.write(path, format="fits")
        with open_catalog(path, {}) as catalog:
            (part,) = catalog.parts()
        return "left out" if part.n_distrusted else "known"
    WRITERS[kind](path, column, value)
    extra = path.with_name("info.fits")
    found = list(read_labels(path, LabelFormat(kind), info=extra))
    return str(found[0].quality) if found else "left out"


@pytest.mark.parametrize(("kind", "column", "value", "said"), cases())
def test_a_flag_becomes_the_quality_that_the_guide_says(
    tmp_path: Path, kind: str, column: str, value: str, said: str
) -> None:
    expected = value if said == "as said" else said
    assert quality_of(tmp_path, kind, column, value) == expected


def test_every_format_has_its_flags_in_the_guide() -> None:
    kinds = {row[0].strip("`") for row in TRUST}
    assert kinds == {*LabelFormat, "catalog"}


def test_the_missing_codes_of_the_guide_are_missing_and_no_others() -> None:
    rows = table("| number | is missing, never a value, in |")
    said = {
        (float(number.strip("`")), target)
        for number, where in rows
        for target in (
            DEFAULT_TARGETS if where == "every target" else [where.strip("`")]
        )
    }
    assert {target for number, target in said if math.isnan(number)} == {
        target for target in DEFAULT_TARGETS if is_missing(target, math.nan)
    }
    codes = {number for number, _ in said if not math.isnan(number)}
    for code in [*codes, -9998.0, -98.0, 0.0, 1.0, -1.5]:
        for target in DEFAULT_TARGETS:
            assert is_missing(target, code) == ((code, target) in said)


def test_the_formats_are_listed_once() -> None:
    rows = table("| format | file | redshift | star formation | names |")
    assert [row[0].strip("`") for row in rows] == list(LabelFormat)
