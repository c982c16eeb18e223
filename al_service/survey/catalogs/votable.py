"""VOTables (https://www.ivoa.net/documents/VOTable/), read row by row.

The text form, TABLEDATA, is streamed at any size. The binary forms are read whole by
astropy and are limited in size. Document types and entities are refused before
anything is expanded.
"""

import re
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree
from xml.parsers import expat

import numpy as np
import pyarrow as pa
from astropy.io import votable

from al_service.errors import Problem, UnreadableFile
from al_service.survey.catalogs.column_names import refuse_repeated
from al_service.survey.catalogs.columns import CHUNK_ROWS, Places, TableChunk

MAX_BINARY_BYTES: Final = 256 * 2**20
"""Binary VOTables are held in memory whole: some 1 GB for this file size."""

MAX_CELL: Final = 2**20
"""Characters of one cell; longer ones are built to fill the memory."""

_BLOCK: Final = 2**16


class VOTable:
    """The first table of a VOTable file."""

    def __init__(self, path: Path, *, shown: Path) -> None:
        self.path = shown
        self.problems: list[Problem] = []
        self.n_rows: int | None = None
        self._plain = path
        self._refuse_document_types()
        fields: list[dict[str, str]] = []
        self._binary = False
        for tag, element in self._elements(_HEAD_ENDS):
            if tag == "FIELD":
                fields.append(dict(element.attrib))
            elif tag in ("BINARY", "BINARY2", "FITS"):
                self._binary = True
        if not fields:
            raise UnreadableFile(shown, "expected a table with fields, found none")
        self._names = [one.get("name") or one.get("ID", "") for one in fields]
        refuse_repeated(shown, self._names, place="the first table")
        self.units = {
            name: one.get("unit", "")
            for name, one in zip(self._names, fields, strict=True)
        }
        self._vectors = {
            name
            for name, one in zip(self._names, fields, strict=True)
            if one.get("arraysize", "1") != "1"
            and one.get("datatype") not in ("char", "unicodeChar")
        }

    def chunks(self, names: Sequence[str]) -> Iterator[TableChunk]:
        """Some columns of every row, in order."""
        if self._binary:
            yield from self._binary_chunks(names)
            return
        wanted = [self._names.index(name) for name in names]
        first, rows = 1, list[list[str]]()
        for number, cells in enumerate(self._rows(), 1):
            if len(cells) != len(self._names):
                raise UnreadableFile(
                    self.path,
                    f"row {number}: expected {len(self._names)} cells, found"
                    f" {len(cells)}",
                )
            rows.append([cells[place] for place in wanted])
            if len(rows) == CHUNK_ROWS:
                yield self._chunk(names, first, rows)
                first, rows = number + 1, []
        if rows:
            yield self._chunk(names, first, rows)

    def _chunk(
        self, names: Sequence[str], first: int, rows: list[list[str]]
    ) -> TableChunk:
        columns: dict[str, Any] = {}  # Any: Arrow is untyped
        for name, cells in zip(names, zip(*rows, strict=True), strict=True):
            if name in self._vectors:
                columns[name] = pa.array([cell.split() for cell in cells])
            else:
                columns[name] = pa.array(cells, pa.string())
        return TableChunk(Places("row", first, len(rows)), columns)

    def _rows(self) -> Iterator[list[str]]:
        for tag, element in self._elements({"TABLEDATA"}):
            if tag == "TR":
                yield [(cell.text or "") for cell in element]
                element.clear()

    def _elements(
        self, until: "frozenset[str] | set[str]"
    ) -> Iterator[tuple[str, ElementTree.Element]]:
        """Elements as they end, and as they start where they end the search."""
        parser: Any = ElementTree.XMLPullParser(
            ("start", "end")
        )  # Any: two kinds of events
        table: ElementTree.Element | None = None
        waiting = 0
        try:
            with self._plain.open("rb") as file:
                while block := file.read(_BLOCK):
                    parser.feed(block)
                    waiting += len(block)
                    for event, element in parser.read_events():
                        waiting = 0
                        tag = element.tag.rpartition("}")[2]
                        if event == "start":
                            table = element if tag == "TABLEDATA" else table
                            if tag in until and until is _HEAD_ENDS:
                                yield tag, element
                                return
                            continue
                        yield tag, element
                        if tag == "TR" and table is not None:
                            table.clear()
                        if tag in until:
                            return
                    if waiting > MAX_CELL:
                        raise UnreadableFile(
                            self.path, f"a cell is longer than {MAX_CELL:,} characters"
                        )
                parser.close()
        except (ElementTree.ParseError, ValueError, LookupError) as error:
            raise UnreadableFile(
                self.path, f"expected a VOTable in XML: {error}"
            ) from error

    def _refuse_document_types(self) -> None:
        """Look at everything before the first element: entities are declared there."""
        found: list[str] = []
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = lambda *_: found.append("a document type")
        parser.EntityDeclHandler = lambda *_: found.append("an entity")
        parser.StartElementHandler = lambda name, _: found.append(name)
        try:
            with self._plain.open("rb") as file:
                while not found and (block := file.read(_BLOCK)):
                    parser.Parse(block)
        except (expat.ExpatError, ValueError, LookupError) as error:
            if not found:
                raise UnreadableFile(
                    self.path, f"expected a VOTable in XML: {error}"
                ) from error
        first = found[0] if found else "nothing"
        if not re.fullmatch(r"(\w+:)?VOTABLE", first):
            raise UnreadableFile(self.path, f"expected VOTABLE, found {first}")

    def _binary_chunks(self, names: Sequence[str]) -> Iterator[TableChunk]:
        size = self._plain.stat().st_size
        if size > MAX_BINARY_BYTES:
            raise UnreadableFile(
                self.path,
                f"binary VOTables are read up to {MAX_BINARY_BYTES:,} bytes, found"
                f" {size:,}: convert it to FITS or Parquet",
            )
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                data = votable.parse(self._plain, verify="ignore").get_first_table()
                array = data.array
        except Exception as error:
            raise UnreadableFile(
                self.path, f"expected a binary VOTable: {error}"
            ) from error
        ids = [field.ID for field in data.fields]
        for first in range(0, len(array), CHUNK_ROWS):
            rows = array[first : first + CHUNK_ROWS]
            yield TableChunk(
                Places("row", first + 1, len(rows)),
                {
                    name: _plain_column(rows[ids[self._names.index(name)]])
                    for name in names
                },
            )


_HEAD_ENDS: Final = frozenset({"TABLEDATA", "BINARY", "BINARY2", "FITS"})


def _plain_column(column: Any) -> Any:  # Any: masked arrays of every type
    if column.dtype.kind == "f":
        return np.ma.filled(column.astype(np.float64), np.nan)
    if column.dtype.kind in "iu" and np.ma.getmaskarray(column).any():
        texts = np.ma.getdata(column).astype(str).astype(object)
        texts[np.ma.getmaskarray(column)] = ""
        return texts
    return np.ma.getdata(column)
