"""CSV and ECSV, read a block at a time.

Oddities: SkyServer and CasJobs write `#Table1` before the line of names; spreadsheets
write a byte-order mark; ECSV states units and separators in comments before the names.
Every cell is handed over as text, so that no identifier passes through a float.
"""

import codecs
import csv
import io
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.csv as arrow_csv
from astropy.io import ascii as astropy_ascii

from al_service.errors import Problem, UnreadableFile
from al_service.survey.catalogs.column_names import refuse_repeated
from al_service.survey.catalogs.columns import TableChunk

BLOCK_BYTES: Final = 2**20
"""Some 7,000 rows, of which Arrow reads 32 blocks ahead; a single row longer than this
is no row of a catalog."""

MAX_HEADER_LINES: Final = 10_000
MAX_LINE: Final = 2**20

EMPTY_LINE: Final = re.compile(rb"\n\r?(?=\n)")
"""What ends a line, and an empty one behind it: 60 times as fast as `^\\r?\\n`."""


class TextTable:
    """A CSV or ECSV file."""

    def __init__(self, path: Path, *, shown: Path) -> None:
        """Read the names of the columns, and the units of an ECSV file.

        Args:
            path: the plain file.
            shown: what to call it in messages.
        """
        self.path = shown
        self.n_rows: int | None = None
        self.problems: list[Problem] = []
        """Rows with another number of cells than there are columns."""
        self._plain = path
        comments, names = self._head()
        self._skip = len(comments)
        self._separator = ","
        if comments and comments[0].startswith("# %ECSV"):
            self.units = self._ecsv_units(comments, names)
        else:
            self.units = dict.fromkeys(self._csv_names(names), "")
        self._odd_lines: list[int] = []
        """As Arrow counts lines: the empty ones are none."""
        self._empty_lines: list[int] = []

    def chunks(self, names: Sequence[str]) -> Iterator[TableChunk]:
        """Some columns of every row, as text, in order."""
        first = 0
        try:
            with (
                _CheckedText(self._plain, self._empty_lines) as file,
                arrow_csv.open_csv(
                    pa.PythonFile(file, mode="r"), **self._options(names)
                ) as reader,
            ):
                for batch in reader:
                    yield TableChunk(
                        _LinePlaces(
                            self._skip + 1,
                            first,
                            batch.num_rows,
                            passed=(self._odd_lines, self._empty_lines),
                        ),
                        {name: batch.column(name) for name in names},
                    )
                    first += batch.num_rows
        except (pa.ArrowInvalid, UnicodeDecodeError) as error:
            raise UnreadableFile(
                self.path,
                f"after {first} rows: expected {self._noun} in UTF-8: {error}",
            ) from error

    @property
    def _noun(self) -> str:
        return "CSV" if self._separator == "," else "ECSV"

    def _options(self, names: Sequence[str]) -> dict[str, Any]:  # Any: Arrow's types
        return {
            "read_options": arrow_csv.ReadOptions(
                skip_rows=self._skip, block_size=BLOCK_BYTES, use_threads=False
            ),
            "parse_options": arrow_csv.ParseOptions(
                delimiter=self._separator,
                ignore_empty_lines=True,
                invalid_row_handler=self._note_odd_row,
            ),
            "convert_options": arrow_csv.ConvertOptions(
                include_columns=list(names),
                column_types=dict.fromkeys(self.units, pa.string()),
                strings_can_be_null=False,
            ),
        }

    def _note_odd_row(self, row: Any) -> str:  # Any: Arrow's InvalidRow
        self._odd_lines.append(row.number)
        if row.text.strip():  # an empty line is nobody's mistake
            line = _line_in_file(row.number, self._empty_lines)
            self.problems.append(
                Problem(
                    f"line {line}",
                    f"expected {row.expected_columns} cells, found"
                    f" {row.actual_columns}",
                )
            )
        return "skip"

    def _head(self) -> tuple[list[str], str]:
        """The lines before the line of names, and that line."""
        comments: list[str] = []
        try:
            with self._plain.open(encoding="utf-8-sig", newline="\n") as file:
                while line := file.readline(MAX_LINE):
                    if not line.endswith("\n") and len(line) == MAX_LINE:
                        break
                    if not line.startswith("#"):
                        return comments, line.rstrip("\r\n")
                    comments.append(line.rstrip("\r\n"))
                    if len(comments) > MAX_HEADER_LINES:
                        break
        except UnicodeDecodeError as error:
            raise UnreadableFile(
                self.path,
                f"line {len(comments) + 1}: expected a table in UTF-8: {error}",
            ) from error
        raise UnreadableFile(
            self.path, "expected a line that names the columns, found none"
        )

    def _csv_names(self, line: str) -> list[str]:
        if "\0" in line:
            raise UnreadableFile(self.path, "expected a table, found binary data")
        try:
            names = next(csv.reader([line], strict=True))
        except (csv.Error, StopIteration) as error:
            raise UnreadableFile(
                self.path, f"line {self._skip + 1}: expected column names: {error}"
            ) from error
        refuse_repeated(self.path, names, place=f"line {self._skip + 1}")
        return names

    def _ecsv_units(self, comments: Sequence[str], names: str) -> dict[str, str]:
        try:
            table = astropy_ascii.read(
                [*comments, names], format="ecsv", guess=False, fast_reader=False
            )
        except Exception as error:  # YAML and astropy raise anything
            raise UnreadableFile(
                self.path, f"expected a header of ECSV: {error}"
            ) from error
        delimiters = [line for line in comments if line.startswith("# delimiter:")]
        self._separator = "," if any("," in line for line in delimiters) else " "
        refuse_repeated(self.path, table.colnames, place=f"line {self._skip + 1}")
        return {name: str(table[name].unit or "") for name in table.colnames}


class _CheckedText(io.FileIO):
    """A file whose bytes are known to be UTF-8 before Arrow looks at them.

    Arrow hands odd rows over as text and cannot say that they are none. Nor does it
    count empty lines: here they are noted.
    """

    def __init__(self, path: Path, empty_lines: list[int]) -> None:
        super().__init__(path)
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._empty_lines = empty_lines
        self._lines = 0
        self._begun = b"\n"
        """What ends the last whole line, and the first bytes of the one behind it."""

    def read(self, size: int | None = -1) -> bytes:
        """The next bytes.

        Raises:
            UnicodeDecodeError: they are no text.
        """
        block = super().read(-1 if size is None else size) or b""
        self._decoder.decode(block, final=not block)
        self._note_empty_lines(self._begun + block)
        return block

    def _note_empty_lines(self, text: bytes) -> None:
        place = 1
        for found in EMPTY_LINE.finditer(text):
            start = found.start() + 1
            self._lines += text.count(b"\n", place, start)
            self._empty_lines.append(self._lines + 1)
            place = start
        self._lines += text.count(b"\n", place)
        last = text.rfind(b"\n")
        self._begun = text[last : last + 3]


class _LinePlaces(Sequence[str]):
    """Line numbers of rows, counting the lines that were passed over."""

    def __init__(
        self, header: int, first: int, count: int, *, passed: Sequence[Sequence[int]]
    ) -> None:
        self._header, self._first, self._count = header, first, count
        self._passed = passed

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: Any) -> Any:  # Any: slices are never asked for
        if index >= self._count:
            raise IndexError(index)
        line = self._header + self._first + int(index) + 1
        for passed in self._passed:
            line = _line_in_file(line, passed)
        return f"line {line}"


def _line_in_file(line: int, passed: Sequence[int]) -> int:
    """The number of a line where those that were passed over count, too."""
    shift = bisect_right(passed, line)
    while (more := bisect_right(passed, line + shift)) > shift:
        shift = more
    return line + shift
