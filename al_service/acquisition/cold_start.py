"""The first objects to ask, before any label: typical ones (TypiClust, Hacohen 2022).

With few labels, uncertainty means nothing and the extremes teach nothing general.
The pool is cut into as many clusters as the batch has places, and from each, largest
first, comes its most typical galaxy. The next wave cuts the pool finer and serves the
clusters that have no chosen galaxy yet, so that every prefix of the order is a batch.
"""

import numpy as np
from numpy.typing import NDArray

from al_service.acquisition.distances import nearest_center, squared_distances
from al_service.acquisition.ranking import Ranking, check_candidates
from al_service.errors import InvalidInput

REASON = "cold_start"

_SAMPLE = 20_000
"""Objects that are clustered: a larger pool is represented by a random sample."""

MOST = 512
"""Longest cold start; a network is trained long before that many labels."""

_NEIGHBORS = 20
"""Typicality is one over the mean distance to this many neighbors (Hacohen 2022)."""

_ITERATIONS = 15
"""Rounds of k-means: later ones move few objects and nothing depends on the optimum."""


def rank_typical(
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
        seed: draws the sample and the first centers.
        batch: places of the first batch: the number of clusters in the first wave.

    Returns:
        A ranking with scores of 0: nothing is known about variances yet.
    """
    check_start(features, object_ids, group_ids, batch=batch)
    generator = np.random.default_rng(seed)
    rows = one_row_per_galaxy(object_ids, group_ids, generator, most=_SAMPLE)
    points = np.ascontiguousarray(features[rows], dtype=np.float32)
    chosen: list[int] = []
    wanted = min(size, MOST, len(rows))
    while len(chosen) < wanted:
        clusters = min(len(chosen) + batch, len(rows))
        found = _wave(points, chosen, n_clusters=clusters, generator=generator)
        chosen += found[: wanted - len(chosen)]
        if not found:
            break
    order = rows[np.asarray(chosen, dtype=np.int64)]
    return Ranking(order=order, score=np.zeros(len(order)), reason=REASON)


def check_start(
    features: NDArray[np.floating],
    object_ids: NDArray[np.str_],
    group_ids: NDArray[np.str_],
    *,
    batch: int,
) -> None:
    """Refuse columns of different lengths, and batches of nothing."""
    check_candidates(np.zeros(len(features)), object_ids, group_ids)
    if batch < 1:
        raise InvalidInput(f"expected a batch of at least 1 object, got {batch}")


def one_row_per_galaxy(
    object_ids: NDArray[np.str_],
    group_ids: NDArray[np.str_],
    generator: np.random.Generator,
    *,
    most: int,
) -> NDArray[np.int64]:
    """Rows of galaxies out of at most `most` objects, in the order of their ids."""
    count = len(object_ids)
    drawn = np.arange(count)
    if count > most:
        drawn = generator.choice(count, size=most, replace=False)
    by_name = drawn[np.argsort(object_ids[drawn], kind="stable")]
    _, first = np.unique(group_ids[by_name], return_index=True)
    return by_name[np.sort(first)].astype(np.int64)


def _wave(
    points: NDArray[np.float32],
    chosen: list[int],
    *,
    n_clusters: int,
    generator: np.random.Generator,
) -> list[int]:
    """The most typical point of every cluster without a chosen one, largest first."""
    cluster = _k_means(points, n_clusters, generator)
    sizes = np.bincount(cluster, minlength=n_clusters)
    sizes[cluster[chosen]] = 0
    largest_first = np.argsort(-sizes, kind="stable")
    return [
        _most_typical(points, np.flatnonzero(cluster == number))
        for number in largest_first[sizes[largest_first] > 0]
    ]


def _k_means(
    points: NDArray[np.float32], n_clusters: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Lloyd's iteration from k-means++ centers; empty clusters stay where they are."""
    centers = points[_spread_out(points, n_clusters, generator)]
    cluster = nearest_center(points, centers).center
    for _ in range(_ITERATIONS):
        count = np.bincount(cluster, minlength=n_clusters)
        total = np.zeros((n_clusters, points.shape[1]))
        np.add.at(total, cluster, points)
        filled = count > 0
        centers[filled] = total[filled] / count[filled, None]
        moved = nearest_center(points, centers).center
        if np.array_equal(moved, cluster):
            break
        cluster = moved
    return cluster


def _spread_out(
    points: NDArray[np.float32], count: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """k-means++: each next center with probability proportional to squared distance."""
    here = np.zeros(len(points), dtype=np.int64)
    picks = [int(generator.integers(len(points)))]
    squared = squared_distances(points, points[picks], here)
    while len(picks) < count:
        cumulative = np.cumsum(squared)
        if cumulative[-1] <= 0.0:
            picks.append(int(generator.integers(len(points))))
            continue
        dart = generator.random() * cumulative[-1]
        picks.append(int(np.searchsorted(cumulative, dart, side="right")))
        latest = squared_distances(points, points[picks[-1:]], here)
        squared = np.minimum(squared, latest)
    return np.asarray(picks, dtype=np.int64)


def _most_typical(points: NDArray[np.float32], members: NDArray[np.int64]) -> int:
    """The member closest to its neighbors within the cluster, ties by row."""
    own = points[members].astype(np.float64)
    norms = np.einsum("nd,nd->n", own, own)
    squared = np.maximum(norms[:, None] + norms[None] - 2.0 * own @ own.T, 0.0)
    neighbors = min(_NEIGHBORS, len(members) - 1)
    nearest = np.partition(squared, neighbors, axis=1)[:, : neighbors + 1]
    crowding = np.sqrt(nearest).sum(axis=1)
    return int(members[np.argmin(crowding)])
