"""Marz results, `.mz`: comments, a commented line of names, rows of text.

https://samreay.github.io/Marz. Oddities: the line of names begins with `#`, cells are
padded with blanks, and a redshift counts only with its quality QOP: 4 is 99 % sure,
3 is 95 %, 2 is a guess, 1 is none, 6 is a star of certain kind, 0 was not looked at.
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from al_service.errors import UnreadableFile
from al_service.survey.label_files.file_label import FileLabel, usable

QUALITY: Final = {1: 1, 2: 2, 3: 3, 4: 4, 6: 4}
"""QOP to quality: a star is as certain as a 4."""

NEEDED: Final = ("Name", "FinZ", "QOP")


def is_marz(path: Path) -> bool:
    """Whether a file looks like Marz results."""
    try:
        with path.open(encoding="utf-8") as file:
            head = file.read(4096)
    except (UnicodeDecodeError, OSError):
        return False
    return any(_names_of(line) is not None for line in head.splitlines())


def read_marz(path: Path) -> Iterator[FileLabel]:
    """Inspected rows of a `.mz` file; rows that nobody looked at are passed over."""
    names: list[str] | None = None
    labeler: str | None = None
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for number, line in enumerate(file, 1):
                if line.startswith("#"):
                    names = names or _names_of(line)
                    if "vetted by:" in line.lower():
                        labeler = line.partition(":")[2].strip() or None
                    continue
                if not line.strip():
                    continue
                if names is None:
                    break
                label = _label(path, number, line, names, labeler)
                if label is not None:
                    yield label
    except UnicodeDecodeError as error:
        raise UnreadableFile(
            path, f"expected Marz results in UTF-8: {error}"
        ) from error
    if names is None:
        raise UnreadableFile(
            path, f"expected a line of names with {', '.join(NEEDED)}, found none"
        )


def _names_of(line: str) -> list[str] | None:
    names = [name.strip() for name in line.lstrip("# ").strip().split(",")]
    return names if set(NEEDED) <= set(names) else None


def _label(
    path: Path, number: int, line: str, names: list[str], labeler: str | None
) -> FileLabel | None:
    where = f"line {number}"
    try:
        cells = next(csv.reader([line], skipinitialspace=True))
    except csv.Error as error:
        raise UnreadableFile(path, f"{where}: expected cells: {error}") from error
    if len(cells) < len(names):
        raise UnreadableFile(
            path, f"{where}: expected {len(names)} cells, found {len(cells)}"
        )
    row = {name: cell.strip() for name, cell in zip(names, cells, strict=False)}
    try:
        qop = int(row["QOP"])
        z = float(row["FinZ"]) if qop in QUALITY and qop > 1 else float("nan")
        sky = [float(row[name]) for name in ("RA", "DEC") if row.get(name)]
    except ValueError as error:
        raise UnreadableFile(path, f"{where}: expected numbers: {error}") from error
    if qop not in QUALITY:
        return None
    values = usable({"z": z})
    return FileLabel(
        place=where,
        names=(row["Name"],),
        values=values,
        quality=QUALITY[qop] if values else 0,
        ra=sky[0] if len(sky) == 2 else None,
        dec=sky[1] if len(sky) == 2 else None,
        note=row.get("Comment") or None,
        labeler=labeler,
    )
