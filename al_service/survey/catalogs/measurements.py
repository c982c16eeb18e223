"""Cells of a catalog become fluxes and positions, or problems.

Every function takes a part of a table and notes what is wrong with a row under the
row's number in that part; a row with a problem is not imported.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.errors import InvalidInput
from al_service.survey.catalogs.column_map import ERROR_KINDS, ColumnMap
from al_service.survey.catalogs.columns import TableChunk, numbers
from al_service.survey.magnitudes import FluxUnit, flux_error_of, flux_of
from al_service.survey.photometry_columns import (
    BANDS,
    EXTINCTION,
    MODEL_FLUX,
    MODEL_FLUX_ERROR,
    PETRO_FLUX,
    PETRO_FLUX_ERROR,
    PHOTOMETRY_COLUMNS,
    errors_from_ivar,
)
from al_service.survey.targets import MISSING_CODES

MAGNITUDES: Final = (-5.0, 45.0)
"""Brighter than any galaxy, and fainter than the luptitude of any noise."""

BRIGHTEST_FLUX: Final = 1e10
"""Nanomaggies of magnitude -2.5: larger numbers are counts or magnitudes of garbage."""

LARGEST_EXTINCTION: Final = 60.0
"""Magnitudes in u behind the thickest clouds of the plane."""

SLOTS: Final = {
    "model": (MODEL_FLUX, MODEL_FLUX_ERROR),
    "petro": (PETRO_FLUX, PETRO_FLUX_ERROR),
}


@dataclass
class RowNotes:
    """Problems by row, in the order in which they were found."""

    problems: dict[int, list[str]] = field(default_factory=dict)

    def note(
        self, rows: NDArray[np.bool_], message: str, values: object = None
    ) -> None:
        """Note the same problem for some rows; `{}` in the message is their value."""
        for row in np.flatnonzero(rows).tolist():
            shown = message
            if isinstance(values, np.ndarray):
                shown = message.format(values[row])
            self.problems.setdefault(row, []).append(shown)


def read_numbers(
    chunk: TableChunk,
    column: str,
    columns: ColumnMap,
    notes: RowNotes,
    *,
    vectors: bool = False,
) -> NDArray[np.float64]:
    """`N` or, of vectors, `N x B` numbers, NaN for nothing and for missing codes."""
    cells = chunk.cells(column, vectors=vectors)
    values, bad = numbers(cells)
    bad_rows = _rows(bad)
    if bad_rows.any():
        for row in np.flatnonzero(bad_rows).tolist():
            cell = str(cells[row])
            notes.note(
                np.arange(len(bad_rows)) == row,
                f"{column}: expected a number, found {cell[:50]!r}",
            )
    infinite = np.asarray(np.isinf(values))
    notes.note(
        _rows(infinite),
        f"{column}: expected a finite number, found infinity",
    )
    codes = [*MISSING_CODES, *columns.missing]
    missing = np.isin(values, codes) | np.isclose(values, -99.9, rtol=1e-6, atol=0)
    return np.where(missing | infinite, np.nan, values)


def read_positions(
    chunk: TableChunk, columns: ColumnMap, factors: Mapping[str, float], notes: RowNotes
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`N` right ascensions and declinations, ICRS degrees.

    Args:
        chunk: part of the catalog.
        columns: what its columns mean.
        factors: column to the degrees in its unit.
        notes: gets what is wrong.
    """
    sky = []
    for key, low, high in (("ra", 0.0, 360.0), ("dec", -90.0, 90.0)):
        name = columns.single[key]
        degrees = read_numbers(chunk, name, columns, notes) * factors[name]
        missing = np.isnan(degrees)
        notes.note(missing, f"{name}: expected degrees, found nothing")
        outside = ~missing & ~((degrees >= low) & (degrees <= high))
        notes.note(
            outside,
            f"{name}: expected degrees in [{low:g}, {high:g}], found {{}}",
            degrees,
        )
        sky.append(np.where(missing | outside, 0.0, degrees))
    return sky[0] % 360.0, sky[1]


def read_photometry(
    chunk: TableChunk, columns: ColumnMap, notes: RowNotes
) -> NDArray[np.float32]:
    """`N x P`, the columns of `PHOTOMETRY_COLUMNS`: as measured, NaN where missing."""
    photometry = np.full((len(chunk), len(PHOTOMETRY_COLUMNS)), np.nan)
    extinction = _five(chunk, columns, "extinction", notes)
    if extinction is not None:
        bad = (extinction < 0) | (extinction > LARGEST_EXTINCTION)
        notes.note(
            _rows(bad),
            f"extinction: expected magnitudes in [0, {LARGEST_EXTINCTION:g}]",
        )
        photometry[:, EXTINCTION] = np.where(bad, np.nan, extinction)
    elif columns.dereddened:
        photometry[:, EXTINCTION] = 0.0  # nothing is left to correct
    for name, (flux_slot, error_slot) in SLOTS.items():
        values = _five(chunk, columns, name, notes)
        if values is None:
            continue
        flux, error = _flux_and_error(chunk, columns, name, values, notes)
        if columns.dereddened and extinction is not None:
            dimming = 10.0 ** (-0.4 * np.nan_to_num(photometry[:, EXTINCTION]))
            flux, error = flux * dimming, error * dimming
        photometry[:, flux_slot], photometry[:, error_slot] = flux, error
    return photometry.astype(np.float32)


def check_units(columns: ColumnMap, units: Mapping[str, str]) -> None:
    """Compare what a file states of its fluxes with what they are taken for.

    Raises:
        InvalidInput: bands in different units, or in another one than declared.
    """
    for name in SLOTS:
        stated = {units[column] for column in columns.bands.get(name, ())} - {""}
        kinds = {_kind(unit) for unit in stated}
        if len(stated) > 1 and len(kinds) > 1:
            raise InvalidInput(
                f"{name}: mixed units: {', '.join(sorted(stated))} in the bands of one"
                " quantity"
            )
        linear = columns.unit is FluxUnit.NANOMAGGIES
        if kinds and kinds != {"nanomaggies" if linear else "mag"}:
            raise InvalidInput(
                f"{name}: expected {columns.unit}, the file states"
                f" {', '.join(sorted(stated))}: declare unit=…"
            )


def _rows(cells: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Rows of which any cell is flagged."""
    return cells if cells.ndim == 1 else np.asarray(cells.any(axis=1))


def _kind(unit: str) -> str:
    lowered = unit.strip().lower()
    if lowered in ("nmgy", "nanomaggy", "nanomaggies", "nanomaggie"):
        return "nanomaggies"
    return "mag" if lowered.startswith("mag") or "luptitude" in lowered else lowered


def _five(
    chunk: TableChunk, columns: ColumnMap, key: str, notes: RowNotes
) -> NDArray[np.float64] | None:
    names = columns.bands.get(key)
    if names is None:
        return None
    alone = len(names) == 1
    parts = [read_numbers(chunk, name, columns, notes, vectors=alone) for name in names]
    values = parts[0] if len(parts) == 1 else np.stack(parts, axis=1)
    if values.ndim != 2 or values.shape[1] != len(BANDS):
        found = values.shape[1] if values.ndim == 2 else 1
        raise InvalidInput(
            f"{names[0]}: expected {len(BANDS)} bands {''.join(BANDS)}, found {found}"
        )
    return values


def _flux_and_error(
    chunk: TableChunk,
    columns: ColumnMap,
    name: str,
    values: NDArray[np.float64],
    notes: RowNotes,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Nanomaggies and their errors; a flux without its error is no measurement."""
    if columns.unit is FluxUnit.NANOMAGGIES:
        outside = np.abs(values) > BRIGHTEST_FLUX
        expected = f"nanomaggies below {BRIGHTEST_FLUX:g}"
    else:
        outside = (values < MAGNITUDES[0]) | (values > MAGNITUDES[1])
        expected = f"magnitudes in [{MAGNITUDES[0]:g}, {MAGNITUDES[1]:g}]"
    _note_bands(outside, values, f"{name}: expected {expected}", notes)
    flux = flux_of(np.where(outside, np.nan, values), columns.unit)
    kind = next((k for k in ERROR_KINDS if f"{name}_{k}" in columns.bands), None)
    if kind is None:
        return flux, np.full(flux.shape, np.nan)
    given = _five(chunk, columns, f"{name}_{kind}", notes)
    assert given is not None  # the key was just found
    if kind == "ivar":
        error = errors_from_ivar(np.nan_to_num(given)).astype(np.float64)
    else:
        negative = given < 0
        _note_bands(negative, given, f"{name}_err: expected errors above 0", notes)
        with np.errstate(over="ignore"):
            error = flux_error_of(
                np.where(given > 0, given, np.nan), flux, columns.unit
            )
    # An error larger than any flux says that nothing was measured.
    measured = (error < BRIGHTEST_FLUX) & np.isfinite(flux)
    return np.where(measured, flux, np.nan), np.where(measured, error, np.nan)


def _note_bands(
    bad: NDArray[np.bool_], values: NDArray[np.float64], message: str, notes: RowNotes
) -> None:
    for band, name in enumerate(BANDS):
        notes.note(bad[:, band], message + f", found {{}} in {name}", values[:, band])
