"""Squared distances in feature space: found fast in float32, settled in float64.

Matrix products in float32 say which rows can matter; whatever is compared or summed
afterwards is a float64 sum of squared differences in a fixed order, which does not
depend on the number of threads.
"""

from dataclasses import dataclass

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


def nearest_center(
    features: NDArray[np.float32], centers: NDArray[np.float32]
) -> Nearest:
    """Find each row's nearest center.

    The largest `x.c - |c|^2/2` marks the nearest center, one matrix product for all.
    Centers whose distances agree to float32 rounding (1e-6) are interchangeable.

    Args:
        features: `N x D` rows.
        centers: `M x D` centers, at least one.

    Returns:
        Positions and float64 squared distances.
    """
    n_objects, width = features.shape
    half_norms = 0.5 * np.einsum("md,md->m", centers, centers, dtype=np.float64)
    against = np.concatenate([centers.T, -half_norms[None].astype(np.float32)])
    chunk = max(1, _PRODUCTS // len(centers))
    rows = np.ones((min(chunk, n_objects), width + 1), dtype=np.float32)
    center = np.empty(n_objects, dtype=np.int64)
    for start in range(0, n_objects, chunk):
        count = min(chunk, n_objects - start)
        rows[:count, :width] = features[start : start + count]
        center[start : start + count] = (rows[:count] @ against).argmax(axis=1)
    return Nearest(center, squared_distances(features, centers, center))


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
