"""The first objects to ask, before any label: those that cover most (ProbCover).

Around every object lies a ball; each choice is the object whose ball holds most objects
that no chosen ball holds yet (Yehuda et al. 2022). The radius is such that a typical
ball holds an object's share of the first batch. When nearly everything is covered the
next wave begins with balls that hold half as many, so that every prefix is a batch.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from al_service.acquisition.cold_start import (
    MOST,
    REASON,
    check_start,
    one_row_per_galaxy,
)
from al_service.acquisition.ranking import Ranking

SAMPLE: Final = 5000
"""Objects that are covered: a larger pool is represented by a random sample. Their
distances take 200 MB, twice that while a radius is found, and 5000 objects know the
radius to some per cent."""

COVERED: Final = 0.95
"""Share of the objects at which a wave ends: the last ones are stragglers."""

_ROWS: Final = 512


def rank_covering(
    features: NDArray[np.floating],
    object_ids: NDArray[np.str_],
    group_ids: NDArray[np.str_],
    *,
    size: int,
    seed: int,
    batch: int,
) -> Ranking:
    """Order the first objects to ask, without any label.

    Args:
        features: `N x D` scaled features that need no label, such as photometry.
        object_ids: `N` identifiers, which break ties.
        group_ids: `N` galaxies; each is chosen at most once.
        size: how many objects to order at most; 512 at most are ordered.
        seed: draws the sample.
        batch: places of the first batch: sets the size of the first balls.

    Returns:
        A ranking with scores of 0: nothing is known about variances yet.
    """
    check_start(features, object_ids, group_ids, batch=batch)
    rows = one_row_per_galaxy(
        object_ids, group_ids, np.random.default_rng(seed), most=SAMPLE
    )
    chosen: list[int] = []
    wanted = min(size, MOST, len(rows))
    if wanted:
        squared = _squared_distances(features[rows])
        held = max(1, len(rows) // batch)
        while len(chosen) < wanted:
            chosen += _wave(squared, chosen, held=held, most=wanted - len(chosen))
            if held == 0:
                break
            held //= 2
    order = rows[np.asarray(chosen, dtype=np.int64)]
    return Ranking(order=order, score=np.zeros(len(order)), reason=REASON)


def _wave(
    squared: NDArray[np.float64], chosen: list[int], *, held: int, most: int
) -> list[int]:
    """Greedy cover with balls of one radius, ties by row."""
    count = len(squared)
    own = np.partition(squared, min(held, count - 1), axis=1)
    radius = float(np.median(own[:, min(held, count - 1)]))
    inside = squared <= radius
    uncovered = np.ones(count, dtype=np.bool_)
    uncovered[inside[chosen].any(axis=0)] = False
    gain = inside[:, uncovered].sum(axis=1)
    found: list[int] = []
    # The last wave, of balls without room, serves whoever is left.
    enough = 0.0 if held == 0 else (1.0 - COVERED) * count
    while len(found) < most and uncovered.sum() > enough:
        row = int(gain.argmax())
        found.append(row)
        fresh = np.flatnonzero(inside[row] & uncovered)
        gain -= inside[:, fresh].sum(axis=1)
        uncovered[fresh] = False
    return found


def _squared_distances(points: NDArray[np.floating]) -> NDArray[np.float64]:
    """`N x N` squared distances in float64, the same bits on every machine."""
    exact = points.astype(np.float64)
    norms = np.einsum("nd,nd->n", exact, exact)
    squared = np.empty((len(exact), len(exact)))
    with threadpool_limits(1, user_api="blas"):
        for start in range(0, len(exact), _ROWS):
            part = slice(start, start + _ROWS)
            products = exact[part] @ exact.T
            squared[part] = norms[part, None] + norms - 2.0 * products
    np.maximum(squared, 0.0, out=squared)
    np.fill_diagonal(squared, 0.0)
    return squared
