"""What a case of bad input is, and how cases write good catalogs with one mistake."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from astropy.table import Table

from al_service.survey.catalogs.column_map import read_declaration
from al_service.survey.importing.request import ImportRequest
from tests.survey.catalogs.tables import changed, galaxies, write_csv

Build = Callable[[Path], ImportRequest]


@dataclass(frozen=True)
class BadInput:
    """A kind of bad input."""

    name: str
    build: Build
    """Writes the files into a folder and asks for their import."""
    message: str
    """Regular expression of what the refusal has to say."""


CASES: Final[list[BadInput]] = []


def bad(message: str) -> Callable[[Build], Build]:
    """Enter a case under its function's name."""

    def enter(build: Build) -> Build:
        CASES.append(BadInput(build.__name__, build, message))
        return build

    return enter


def table(folder: Path, content: Table, declared: str | None = None) -> ImportRequest:
    write_csv(content, folder / "catalog.csv")
    return ImportRequest(folder / "catalog.csv", read_declaration(declared))


def text(folder: Path, content: str | bytes) -> ImportRequest:
    path = folder / "catalog.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return ImportRequest(path)


def lines(folder: Path, change: Callable[[list[str]], None]) -> ImportRequest:
    """The good catalog in CSV after somebody edited its lines."""
    write_csv(galaxies(), folder / "catalog.csv")
    rows = (folder / "catalog.csv").read_text().splitlines()
    change(rows)
    return text(folder, "\n".join(rows) + "\n")


def cell(name: str, column: str, value: Any, message: str) -> None:  # Any: a cell
    """Enter the good catalog with one cell changed."""
    CASES.append(
        BadInput(name, lambda folder: table(folder, changed(column, 3, value)), message)
    )
