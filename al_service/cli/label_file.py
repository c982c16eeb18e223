"""Labels in a CSV file, one object a line."""

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.errors import InvalidInput, Problem, UnreadableFile
from al_service.exports.spreadsheets import unshield
from al_service.rounds.labeling import NewLabel
from al_service.survey.catalogs.column_names import refuse_repeated
from al_service.survey.catalogs.columns import TableChunk, texts
from al_service.survey.catalogs.opening import TableFormat, format_of, open_table
from al_service.survey.targets import DEFAULT_TARGETS, is_missing

ERROR_SUFFIX: Final = "_err"
OTHERS: Final = ("object_id", "quality", "note", "source", "supersedes", "labeler")
"""Columns that are neither a target nor its error."""

EXPORTED: Final = frozenset(
    {
        *("id", "ra", "dec", "campaign", "batch_id", "late", "superseded_by"),
        *("created_at", "scan_z", "scan_class", "scan_confidence", "scan_dz"),
        "flagged",
    }
)
"""Further columns of our own export: they say what happened, and are not stored."""

HANDWRITTEN: Final = frozenset({"labeler", "source", "note"})
"""Texts that our CSV shields from spreadsheets."""

CONFIDENT: Final = 4
NOTHING_THERE: Final = 0
"""Qualities that are taken for granted where a file has no such column."""

MOST_DIGITS: Final = 18
"""Longer numbers are no numbers of labels: those have 63 bits."""

SEPARATORS: Final[Mapping[str, str]] = {";": "semicolons", "\t": "tabs"}
"""What spreadsheets write where a comma is a decimal point."""


@dataclass(frozen=True)
class LabelRow:
    """A label and the line that it was read from."""

    line: int
    label: NewLabel
    problems: tuple[Problem, ...] = ()
    """What cannot be read, or was read before; there is no need to look further."""
    labeler: str | None = None
    """Who says it, where the file knows; else whoever imports."""
    noun: str = ""
    """`row` in tables that have no lines."""

    @property
    def place(self) -> str:
        """`:7`, the line of a text file, or `: row 7` of any other table."""
        return f": {self.noun} {self.line}" if self.noun else f":{self.line}"


class _Row:
    """The cells of one line; what cannot be read is noted."""

    def __init__(self, place: str, cells: Mapping[str, str | None]) -> None:
        self._place = place
        self._cells = cells
        self.problems: list[Problem] = []

    def text(self, column: str) -> str | None:
        """What stands there; None for an empty cell."""
        text = self._cells.get(column) or ""
        if "\0" in text:  # PostgreSQL has no such texts
            self._note(column, "expected text without NUL characters")
            return None
        return text.strip() or None

    def number(self, column: str) -> float | None:
        """The number that stands there; None for an empty cell and for NaN."""
        text = self.text(column)
        try:
            value = float(text or "nan")
        except ValueError:
            self._note(column, f"expected a number, found {text!r}")
            return None
        return None if math.isnan(value) else value

    def whole(self, column: str) -> int | None:
        """The whole number that stands there; None for an empty cell."""
        text = self.text(column)
        if text is None:
            return None
        text = text.removesuffix(".0")  # a column with gaps becomes floats elsewhere
        if not text.isascii() or not text.isdigit() or len(text) > MOST_DIGITS:
            self._note(column, f"expected a whole number, found {text!r}")
            return None
        return int(text)

    def label(self) -> NewLabel:
        """The label of this line."""
        object_id = self.text("object_id")
        if object_id is None:
            self._note("object_id", "expected an id, found nothing")
        values = {
            target: value
            for target in DEFAULT_TARGETS
            if (value := self.number(target)) is not None
            and not is_missing(target, value)
        }
        errors = {
            target: error
            for target in values
            if (error := self.number(target + ERROR_SUFFIX)) is not None
        }
        quality = self.whole("quality")
        if quality is None:
            quality = CONFIDENT if values else NOTHING_THERE
        return NewLabel(
            object_id=object_id or "",
            values=values,
            errors=errors,
            quality=quality,
            note=self.text("note"),
            source=self.text("source"),
            supersedes=self.whole("supersedes"),
        )

    def _note(self, column: str, message: str) -> None:
        self.problems.append(Problem(f"{self._place}: {column}", message))


def read_labels(lines: Iterable[str], path: Path) -> list[LabelRow]:
    """Read labels out of CSV, each with what is wrong with its line.

    An empty cell, NaN and the catalogs' missing codes leave a target out. A row
    without any value is an object that cannot be labeled: its quality is 0.

    Args:
        lines: CSV whose first line names the columns: `object_id`, targets such as
            `z`, `z_err` for their errors, `quality`, `note`, `source`, `supersedes`,
            `labeler`. What else our export has is passed over, and so are labels that
            were corrected.
        path: where they come from, for messages.

    Raises:
        InvalidInput: it is no CSV, the columns make no sense, or there are no rows.
    """
    reader = csv.DictReader(lines, strict=True)
    labels: list[LabelRow] = []
    first: dict[tuple[str | None, str], int] = {}
    try:
        _check_columns(path, reader.fieldnames or ())
        labels.extend(
            _read_row(path, reader.line_num, cells, first)
            for cells in reader
            if not _is_history(cells)
        )
    except (csv.Error, UnicodeDecodeError) as error:
        line = reader.reader.line_num  # the dictionary's own number lags behind
        raise InvalidInput(f"{path}:{line}: expected CSV in UTF-8: {error}") from error
    if not labels:
        raise InvalidInput(f"{path}: expected at least one row, found none")
    return labels


def is_csv(path: Path) -> bool:
    """Whether a file of our own columns has lines to name; ECSV is read as a table."""
    with path.open("rb") as file:
        start = file.read(8)
    if start.startswith((b"# %ECSV", b"\x1f\x8b", b"BZh")):
        return False
    return not start or format_of(path) is TableFormat.TEXT


def read_label_table(path: Path) -> list[LabelRow]:
    """Read labels out of ECSV, FITS, VOTable or Parquet, as `read_labels` does.

    Raises:
        InvalidInput: it is no table, the columns make no sense, or there are no rows.
    """
    labels: list[LabelRow] = []
    first: dict[tuple[str | None, str], int] = {}
    with open_table(path) as source:
        names = list(source.units)
        _check_columns(path, names)
        number = 0
        for chunk in source.chunks(names):
            columns = _columns(path, chunk, names)
            for row in zip(*columns, strict=True):
                number += 1
                cells = dict(zip(names, row, strict=True))
                if not _is_history(cells):
                    labels.append(_read_row(path, number, cells, first, noun="row"))
    if not labels:
        raise InvalidInput(f"{path}: expected at least one row, found none")
    return labels


def _columns(
    path: Path, chunk: TableChunk, names: Sequence[str]
) -> list[NDArray[np.object_]]:
    """Cells as text."""
    try:
        return [texts(chunk.cells(name)) for name in names]
    except InvalidInput as error:
        raise UnreadableFile(path, str(error)) from error


def _is_history(cells: Mapping[str, str | None]) -> bool:
    """Whether a row of our export is a label that another one has corrected."""
    return bool((cells.get("superseded_by") or "").strip())


def _read_row(
    path: Path,
    line: int,
    cells: Mapping[str, str | None],
    first: dict[tuple[str | None, str], int],
    *,
    noun: str = "",
) -> LabelRow:
    """One line; `first` remembers on which line somebody labeled an object."""
    place = f"{path}: {noun} {line}" if noun else f"{path}:{line}"
    row = _Row(place, cells if noun else _unshielded(cells))
    label, labeler = row.label(), row.text("labeler")
    if None in cells:  # what the reader calls the cells behind the last column
        row.problems.append(Problem(place, "more cells than columns"))
    before = first.setdefault((labeler, label.object_id), line)
    if label.object_id and before != line:
        row.problems.append(
            Problem(
                f"{place}: object_id",
                f"{label.object_id} is on {noun or 'line'} {before} as well",
            )
        )
    return LabelRow(line, label, tuple(row.problems), labeler, noun)


def _unshielded(cells: Mapping[str, str | None]) -> dict[str, str | None]:
    """A line of CSV as it was before it was kept from spreadsheets."""
    return {
        name: unshield(cell) if cell and name in HANDWRITTEN else cell
        for name, cell in cells.items()
    }


def _check_columns(path: Path, columns: Sequence[str]) -> None:
    known = {*OTHERS, *EXPORTED, *DEFAULT_TARGETS}
    known |= {f"{one}_err" for one in DEFAULT_TARGETS}
    unknown = [column for column in columns if column not in known]
    if "object_id" not in columns or unknown:
        raise InvalidInput(
            f"{path}: expected a first line with object_id and columns out of"
            f" {', '.join(sorted(known - EXPORTED - {'object_id'}))}; found"
            f" {', '.join(columns) or 'nothing'}{_separator_hint(columns)}"
        )
    refuse_repeated(path, columns, place="its columns")


def _separator_hint(columns: Sequence[str]) -> str:
    """A word on files that are separated by something else than commas."""
    for separator, name in SEPARATORS.items():
        if len(columns) == 1 and separator in columns[0]:
            return f": the file is separated by {name}, write it with commas"
    return ""
