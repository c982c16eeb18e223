"""The order in which a strategy asks: LCMD over a whole pool."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.acquisition.ranking import Ranking
from al_service.acquisition.strategies import Strategy, StrategyConfig, rank
from al_service.acquisition.uncertainty import total_variance
from al_service.studies.speed.crowded_sky import Sky, crowded_sky, exact_head
from al_service.studies.speed.measuring import (
    Budget,
    Fact,
    Measurement,
    Size,
    side_by_side,
)

NAME: Final = "order"

BUDGET: Final = Budget(at_most=2.5, ratio=2.5 / 1.6)
"""DESIGN.md section 8; its own bare distances took 1.6 s."""


@dataclass(frozen=True)
class _Scale:
    objects: int
    labels: int
    dim: int
    places: int
    checked: int
    """Places that are also found by the definition, without any shortcut."""
    repeats: int


_SCALES: Final = {
    Size.SMALL: _Scale(2000, 300, 32, places=32, checked=32, repeats=2),
    Size.FULL: _Scale(100_000, 4000, 256, places=256, checked=24, repeats=3),
}

_PRODUCTS = 2**22
"""Products held at a time: larger blocks leave the cache."""


def measure(size: Size) -> list[Measurement]:
    """Time `rank` with LCMD against the distances to the labeled alone."""
    scale = _SCALES[size]
    sky = crowded_sky(scale.objects, scale.labels, scale.dim)
    score = total_variance(
        exact_head(sky).epistemic_variance(sky.features.take(slice(scale.labels, None)))
    )
    times = side_by_side(
        lambda: lcmd_order(sky, score, scale.places),
        lambda: bare_distances(sky.unlabeled, sky.labeled),
        repeats=scale.repeats,
    )
    found = times.our_result.order[: scale.checked]
    plain = plain_walk(sky.unlabeled, sky.labeled, scale.checked)
    checked: dict[str, Fact] = {
        "places": len(times.our_result.order),
        "places_checked": scale.checked,
        "places_as_defined": int((found == plain).sum()),
    }
    return [
        Measurement(
            benchmark=NAME,
            what=f"LCMD order of {scale.places} of {scale.objects:,} objects, "
            f"{scale.labels:,} labeled, D = {scale.dim}",
            unit="s",
            ours=times.ours.seconds,
            peer="the bare float32 distances to the labeled",
            theirs=times.theirs.seconds,
            budget=BUDGET,
            facts=checked | times.facts(),
        )
    ]


def lcmd_order(sky: Sky, score: NDArray[np.float64], places: int) -> Ranking:
    """The order as a run computes it: the public `rank`, every check included."""
    names = np.array([f"{row:08d}" for row in range(len(score))])
    return rank(
        StrategyConfig(name=Strategy.LCMD),
        features=sky.unlabeled,
        score=score,
        object_ids=names,
        group_ids=names,
        center_features=sky.labeled,
        blocked_groups=set(),
        random_keys=np.arange(len(score)),
        size=places,
        seed=0,
    )


def bare_distances(
    features: NDArray[np.float32], centers: NDArray[np.float32]
) -> NDArray[np.float32]:
    """`N` squared distances to the nearest of `M` centers: products and a minimum."""
    half_norms = 0.5 * np.einsum("md,md->m", centers, centers)
    rows = max(1, _PRODUCTS // len(centers))
    nearest = np.empty(len(features), dtype=np.float32)
    block = np.empty((rows, len(centers)), dtype=np.float32)
    for start in range(0, len(features), rows):
        some = features[start : start + rows]
        products = block[: len(some)]
        np.matmul(some, centers.T, out=products)
        products -= half_norms
        nearest[start : start + rows] = products.max(axis=1)
    norms: NDArray[np.float32] = np.einsum("nd,nd->n", features, features)
    return norms - 2.0 * nearest


def plain_walk(
    features: NDArray[np.float32], centers: NDArray[np.float32], places: int
) -> NDArray[np.int64]:
    """LCMD by its definition, every distance in float64 (Holzmüller et al. 2023)."""
    points, known = features.astype(np.float64), centers.astype(np.float64)
    norms = np.einsum("nd,nd->n", points, points)
    cluster, squared = _nearest(points, norms, known)
    order: list[int] = []
    for number in range(len(known), len(known) + places):
        squared[order] = 0.0
        mass = np.bincount(cluster, weights=squared)
        members = np.flatnonzero(cluster == mass.argmax())
        row = int(members[squared[members].argmax()])
        distance = norms - 2.0 * (points @ points[row]) + norms[row]
        nearer = distance < squared
        cluster[nearer], squared[nearer] = number, distance[nearer]
        order.append(row)
    return np.asarray(order, dtype=np.int64)


def _nearest(
    points: NDArray[np.float64],
    norms: NDArray[np.float64],
    known: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """`N` nearest of `M` centers and `N` squared distances to them."""
    cluster = np.empty(len(points), dtype=np.int64)
    squared = np.empty(len(points))
    lengths = np.einsum("md,md->m", known, known)
    rows = max(1, _PRODUCTS // len(known))
    for start in range(0, len(points), rows):
        part = slice(start, start + rows)
        distances = lengths - 2.0 * (points[part] @ known.T)
        cluster[part] = distances.argmin(axis=1)
        squared[part] = distances.min(axis=1) + norms[part]
    return cluster, squared
