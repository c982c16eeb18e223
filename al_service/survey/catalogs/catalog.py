"""A catalog, read in parts: objects with positions, photometry and known labels."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from al_service.errors import InvalidInput, Problem, UnreadableFile
from al_service.survey.catalogs.column_map import ColumnMap, resolve
from al_service.survey.catalogs.columns import TableChunk, TableSource, texts
from al_service.survey.catalogs.identifiers import (
    RoundingWatch,
    identifiers,
    problem_of,
)
from al_service.survey.catalogs.known_labels import read_known_labels
from al_service.survey.catalogs.measurements import (
    RowNotes,
    check_units,
    read_photometry,
    read_positions,
)
from al_service.survey.catalogs.opening import open_table
from al_service.survey.catalogs.seen import SeenTexts
from al_service.survey.positions import position_names

MAX_ROWS: Final = 50_000_000
"""Digests of identifiers, and later positions, are held in memory: 40 bytes a row."""


@dataclass(frozen=True)
class CatalogPart:
    """Good rows of a part of a catalog, and what was wrong with the others."""

    object_ids: list[str]
    ra: NDArray[np.float64]
    dec: NDArray[np.float64]
    group_ids: list[str] | None
    """Galaxies as the catalog declares them; None where it does not."""
    spectrum_ids: list[str | None] | None
    """Names of the objects' spectra; None where the catalog names none."""
    photometry: NDArray[np.float32]
    """`N x P`."""
    known_values: NDArray[np.float64]
    """`N x T`, the catalog's targets."""
    known_errors: NDArray[np.float64]
    rows: NDArray[np.int64]
    """Numbers of the rows in the file, from 0."""
    problems: list[Problem]
    n_distrusted: int
    """Rows whose known labels were left out because of their own flags."""

    def without(self, rows: NDArray[np.bool_]) -> "CatalogPart":
        """The part less some of its rows."""
        kept = np.flatnonzero(~rows).tolist()

        def take(cells: list[str]) -> list[str]:
            return [cells[row] for row in kept]

        spectra = self.spectrum_ids
        return CatalogPart(
            object_ids=take(self.object_ids),
            ra=self.ra[kept],
            dec=self.dec[kept],
            group_ids=None if self.group_ids is None else take(self.group_ids),
            spectrum_ids=None if spectra is None else [spectra[row] for row in kept],
            photometry=self.photometry[kept],
            known_values=self.known_values[kept],
            known_errors=self.known_errors[kept],
            rows=self.rows[kept],
            problems=self.problems,
            n_distrusted=self.n_distrusted,
        )


@dataclass
class Catalog:
    """An open catalog whose columns are understood."""

    source: TableSource
    columns: ColumnMap
    _factors: Mapping[str, float]
    _seen: SeenTexts = field(default_factory=SeenTexts)

    @property
    def n_rows(self) -> int | None:
        """How many rows there are; None where only reading tells."""
        return self.source.n_rows

    def parts(self) -> Iterator[CatalogPart]:
        """Every row once, in order.

        Raises:
            UnreadableFile: the file breaks off, or its identifiers were rounded.
        """
        name = self.columns.single.get("object_id")
        watch = None if name is None else RoundingWatch(name)
        total = 0
        try:
            for chunk in self.source.chunks(self.columns.columns):
                total += len(chunk)
                if total > MAX_ROWS:
                    raise InvalidInput(f"expected at most {MAX_ROWS:,} rows")
                yield self._part(chunk, watch, total - len(chunk))
            if watch is not None:
                watch.judge()
        except UnreadableFile:
            raise
        except InvalidInput as error:
            raise UnreadableFile(self.source.path, str(error)) from error

    def _part(
        self, chunk: TableChunk, watch: RoundingWatch | None, first: int
    ) -> CatalogPart:
        notes = RowNotes()
        ra, dec = read_positions(chunk, self.columns, self._factors, notes)
        photometry = read_photometry(chunk, self.columns, notes)
        values, errors, distrusted = read_known_labels(chunk, self.columns, notes)
        names = self._names(chunk, watch, ra, dec, notes)
        groups = self._groups(chunk, notes)
        self._note_repeated(names, notes)
        path = self.source.path
        bad = np.zeros(len(chunk), dtype=bool)
        bad[list(notes.problems)] = True
        problems = [
            Problem(f"{path}: {chunk.places[row]}", message)
            for row in sorted(notes.problems)
            for message in notes.problems[row]
        ]
        odd = self.source.problems
        problems += [Problem(f"{path}: {one.where}", one.message) for one in odd]
        odd.clear()
        whole = CatalogPart(
            object_ids=names,
            ra=ra,
            dec=dec,
            group_ids=groups,
            spectrum_ids=self._spectra(chunk),
            photometry=photometry,
            known_values=values,
            known_errors=errors,
            rows=np.arange(first, first + len(chunk)),
            problems=problems,
            n_distrusted=distrusted,
        )
        return whole.without(bad)

    def _names(
        self,
        chunk: TableChunk,
        watch: RoundingWatch | None,
        ra: NDArray[np.float64],
        dec: NDArray[np.float64],
        notes: RowNotes,
    ) -> list[str]:
        """Identifiers, made of positions where the catalog has none."""
        if watch is None:
            return [str(name) for name in position_names(ra, dec)]
        column = chunk.cells(watch.column)
        found = identifiers(column)
        watch.see(column, found)
        for row, name in enumerate(found):
            problem = problem_of(name)
            if problem is not None:
                notes.problems.setdefault(row, []).append(f"{watch.column}: {problem}")
        return [name or "" for name in found]

    def _note_repeated(self, names: list[str], notes: RowNotes) -> None:
        """Of good rows with one identifier the first counts."""
        good = [row for row in range(len(names)) if row not in notes.problems]
        repeated = self._seen.add([names[row] for row in good])
        for row in np.flatnonzero(repeated).tolist():
            name = names[good[row]]
            notes.problems[good[row]] = [f"object_id {name}: is there twice"]

    def _groups(self, chunk: TableChunk, notes: RowNotes) -> list[str] | None:
        column = self.columns.single.get("group_id")
        if column is None:
            return None
        groups = identifiers(chunk.cells(column))
        for row, group in enumerate(groups):
            problem = problem_of(group)
            if problem is not None:
                notes.problems.setdefault(row, []).append(f"{column}: {problem}")
        return [group or "" for group in groups]

    def _spectra(self, chunk: TableChunk) -> list[str | None] | None:
        """`plate-mjd-fiber`, numbers without leading zeros."""
        if not self.columns.spectrum_id:
            return None
        parts = [texts(chunk.cells(name)) for name in self.columns.spectrum_id]
        return [
            None
            if any(cell is None for cell in cells)
            else "-".join(str(cell) for cell in cells)
            for cells in zip(*parts, strict=True)
        ]


@contextmanager
def open_catalog(
    path: Path, declared: Mapping[str, str], *, hdu: str | None = None
) -> Iterator[Catalog]:
    """Open a catalog and understand its columns.

    Args:
        path: FITS, VOTable, ECSV, CSV or Parquet; compressed or not.
        declared: what `read_declaration` returned.
        hdu: number or name of the HDU of a FITS file.

    Raises:
        UnreadableFile: it is no table, or its columns cannot be understood.
    """
    with open_table(path, hdu=hdu) as source:
        try:
            columns = resolve(declared, list(source.units))
            check_units(columns, source.units)
            factors = {
                columns.single[key]: _degrees(source.units[columns.single[key]])
                for key in ("ra", "dec")
            }
        except InvalidInput as error:
            raise UnreadableFile(path, str(error)) from error
        yield Catalog(source, columns, factors)


def _degrees(unit: str) -> float:
    """How many degrees the unit of a position is; degrees where none is stated."""
    if not unit:
        return 1.0
    try:
        return float(u.Unit(unit).to(u.deg))
    except (ValueError, TypeError, u.UnitConversionError) as error:
        raise InvalidInput(f"positions: expected an angle, found {unit!r}") from error
