"""Some objects of a pool, whose measurements stay on disk until they are asked for.

A thousand images fill 80 MB: whoever trains on ten thousand or scores a million takes
some at a time, from here as from `Inputs` in memory.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from al_service.survey.inputs import Inputs, Rows
from al_service.survey.pool_arrays import PoolArrays


@dataclass(frozen=True)
class PoolView:
    """`N` objects of a pool."""

    arrays: PoolArrays
    """The pool."""
    rows: NDArray[np.int64]
    """`N` rows in its arrays."""
    scan: NDArray[np.float64] | None = None
    """Of all objects of the pool, as `Inputs.scan`; None where nobody has scanned."""
    modalities: frozenset[str] | None = None
    """What to read, by name; None reads everything."""

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, rows: Rows) -> Inputs:
        """The objects of some of these rows, in their order, read from disk."""
        wanted = self.rows[rows]
        inputs = self.arrays.inputs(_sliced(wanted), modalities=self.modalities)
        return inputs if self.scan is None else replace(inputs, scan=self.scan[wanted])

    def of(self, rows: NDArray[np.int64]) -> "PoolView":
        """Other objects of the same pool, by their rows in its arrays."""
        return replace(self, rows=rows)


def whole_pool(
    arrays: PoolArrays,
    *,
    scan: NDArray[np.float64] | None = None,
    modalities: frozenset[str] | None = None,
) -> PoolView:
    """All objects of a pool, in its order."""
    return PoolView(arrays, np.arange(arrays.n_objects), scan, modalities)


def _sliced(rows: NDArray[np.int64]) -> Rows:
    """Rows that follow each other as a slice: their chunks are read once and whole."""
    if len(rows) and bool((np.diff(rows) == 1).all()):
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows
