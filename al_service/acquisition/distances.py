"""Squared distances in feature space: found fast in float32, settled in float64.

Matrix products in float32 say which rows can matter; whatever is compared or summed
afterwards is a float64 sum of squared differences in a fixed order, which does not
depend on the number of threads.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_PRODUCTS = 2**22
"""Products held at a time (16 MB of float32): larger ones leave the cache."""

_DIFFERENCES = 2**20
"""Differences held at a time (8 MB of float64): they stay in the cache."""


@dataclass(frozen=True)
class Nearest:
    """For each row the center it belongs to."""

    center: NDArray[np.int64]
    """`N` positions among the centers."""

    squared: NDArray[np.float64]
    """`N` squared distances to that center."""


SLACK: Final = 1e-5
"""Relative error of a float32 squared distance; closer calls are settled in float64."""


FindNearest = Callable[
    [NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]], Nearest
]
"""Finds each row's nearest center like `nearest_center`, and is also told which rows
of a pool these are: somebody may remember them."""


def nearest_center(
    features: NDArray[np.float32], centers: NDArray[np.float32]
) -> Nearest:
    """Find each row's nearest center.

    The largest `x.c - |c|^2/2` marks the nearest center, one matrix product for all.
    Where the second largest is as large within float32 rounding, exact distances
    decide; of equally near centers it is the first.

    Args:
        features: `N x D` rows.
        centers: `M x D` centers, at least one.

    Returns:
        Positions and float64 squared distances.
    """
    n_objects, width = features.shape
    half_norms = 0.5 * np.einsum("md,md->m", centers, centers, dtype=np.float64)
    against = np.concatenate([centers.T, -half_norms[None].astype(np.float32)])
    chunk = max(1, _PRODUCTS // max(len(centers), width))
    rows = np.ones((min(chunk, n_objects), width + 1), dtype=np.float32)
    center = np.empty(n_objects, dtype=np.int64)
    for start in range(0, n_objects, chunk):
        part = slice(start, min(start + chunk, n_objects))
        count = part.stop - start
        rows[:count, :width] = features[part]
        center[part] = _largest(rows[:count] @ against, features[part], centers)
    return Nearest(center, squared_distances(features, centers, center))


def _largest(
    products: NDArray[np.float32],
    features: NDArray[np.float32],
    centers: NDArray[np.float32],
) -> NDArray[np.int64]:
    """The column of each row's largest product, exact distances deciding close ones."""
    every = np.arange(len(products))
    best: NDArray[np.int64] = products.argmax(axis=1)
    top = products[every, best]
    products[every, best] = -np.inf
    rival = products.max(axis=1)
    products[every, best] = top
    doubt = _rounding(features, centers)
    close = np.flatnonzero(rival >= top - doubt)
    row, column = np.nonzero(products[close] >= (top - doubt)[close, None])
    squared = squared_distances(features[close[row]], centers, column)
    order = np.lexsort((column, squared, row))
    _, first = np.unique(row[order], return_index=True)
    best[close] = column[order[first]]
    return best


def _rounding(
    features: NDArray[np.float32], centers: NDArray[np.float32]
) -> NDArray[np.float32]:
    """How far two products of a row may be wrong against each other.

    Twice the bound of a sum of `D` products, whatever its order (Higham 2002, section
    3.1), for the longest of the centers.
    """
    width = features.shape[1] + 1
    longest = np.sqrt(np.einsum("md,md->m", centers, centers).max())
    lengths = np.sqrt(np.einsum("nd,nd->n", features, features))
    sums = (lengths + 0.5 * longest) * longest
    return np.asarray(2.0 * width * np.finfo(np.float32).eps * sums, dtype=np.float32)


def squared_distances(
    features: NDArray[np.float32],
    centers: NDArray[np.float32],
    center: NDArray[np.int64],
) -> NDArray[np.float64]:
    """The squared distance of each row to the center named for it.

    Args:
        features: `N x D` rows.
        centers: `M x D` centers.
        center: `N` positions among the centers.

    Returns:
        `N` squared distances in float64.
    """
    squared = np.empty(len(features))
    chunk = max(1, _DIFFERENCES // features.shape[1])
    for start in range(0, len(features), chunk):
        rows = slice(start, start + chunk)
        difference = features[rows].astype(np.float64)
        difference -= centers[center[rows]]
        squared[rows] = np.einsum("nd,nd->n", difference, difference)
    return squared


def approximate_distances(
    features: NDArray[np.float32],
    norms: NDArray[np.float32],
    rows: NDArray[np.int64],
) -> NDArray[np.float32]:
    """Squared distances to some of the rows, by one float32 product for all.

    Args:
        features: `N x D` rows.
        norms: `N` their squared lengths.
        rows: `K` of them.

    Returns:
        `K x N`, each off by `SLACK` times both squared lengths at most.
    """
    products: NDArray[np.float32] = features[rows] @ features.T
    products *= -2.0
    products += norms
    products += norms[rows][:, None]
    return products


def settle_nearer(
    features: NDArray[np.float32],
    norms: NDArray[np.float32],
    row: int,
    approximate: NDArray[np.float32],
    squared: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The objects that a new center may be nearer to, with exact distances to it.

    Args:
        features: `N x D` rows.
        norms: `N` their squared lengths.
        row: the new center.
        approximate: `N` what `approximate_distances` says of it.
        squared: `N` squared distances to the nearest center so far; objects at 0 are
            out of the game.

    Returns:
        `L` rows, and their float64 squared distances to the new center.
    """
    slack = SLACK * (norms + norms[row])
    close = np.flatnonzero((approximate <= squared + slack) & (squared > 0.0))
    here = np.zeros(len(close), dtype=np.int64)
    return close, squared_distances(features[close], features[row][None], here)
