"""Known labels of a catalog's rows: read, compared, left out where flags say so."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from al_service.survey.catalogs.column_map import ColumnMap
from al_service.survey.catalogs.columns import TableChunk
from al_service.survey.catalogs.measurements import RowNotes, read_numbers
from al_service.survey.targets import (
    ENTROPY_MISSING,
    GOOD_ZWARNING,
    LIMITS,
    SFR_QUANTILES,
    Target,
)


def read_known_labels(
    chunk: TableChunk, columns: ColumnMap, notes: RowNotes
) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """Known labels of the rows.

    Returns:
        `N x T` values, NaN where unknown or not to be trusted; `N x T` errors; how many
        rows had labels that their flags forbid to use.
    """
    shape = (len(chunk), len(columns.targets))
    values, errors = np.full(shape, np.nan), np.full(shape, np.nan)
    for place, target in enumerate(columns.targets):
        column = columns.single[target]
        found = read_numbers(chunk, column, columns, notes)
        if target == Target.SFR_ENTROPY:
            found = np.where(found == ENTROPY_MISSING, np.nan, found)
        low, high = LIMITS[target]
        outside = np.isfinite(found) & ~((found >= low) & (found <= high))
        message = f"{column}: expected {target} in [{low:g}, {high:g}], found {{}}"
        notes.note(outside, message, found)
        values[:, place] = found
        if f"{target}_err" in columns.single:
            name = columns.single[f"{target}_err"]
            error = read_numbers(chunk, name, columns, notes)
            # SDSS writes errors of 0, -1 … -6 where the fit gives none.
            errors[:, place] = np.where(error > 0, error, np.nan)
    _note_unsorted(columns.targets, values, notes)
    distrusted = _distrusted(chunk, columns, notes)
    dropped = int((distrusted & np.isfinite(values).any(axis=1)).sum())
    values[distrusted] = np.nan
    errors[~np.isfinite(values)] = np.nan
    return values, errors, dropped


def _note_unsorted(
    targets: Sequence[str], values: NDArray[np.float64], notes: RowNotes
) -> None:
    there = [name for name in SFR_QUANTILES if name in targets]
    for first, lower in enumerate(there):
        for upper in there[first + 1 :]:
            low, high = values[:, targets.index(lower)], values[:, targets.index(upper)]
            notes.note(
                high < low, f"{upper}: quantiles must ascend, found it below {lower}"
            )


def _distrusted(
    chunk: TableChunk, columns: ColumnMap, notes: RowNotes
) -> NDArray[np.bool_]:
    """Rows whose own flags say that their labels are not to be used."""
    flags = np.zeros(len(chunk), dtype=bool)
    if "zwarning" in columns.single:
        warning = read_numbers(chunk, columns.single["zwarning"], columns, notes)
        flags |= ~np.isin(warning, GOOD_ZWARNING)
    if "reliable" in columns.single:
        flags |= read_numbers(chunk, columns.single["reliable"], columns, notes) != 1
    return flags
