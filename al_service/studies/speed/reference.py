"""Our selectors beside the reference implementation: the same features, who is faster.

Both get the same float32 features. Where the indices are not the same, rounding has
decided between near ties, and the objective says whether the batch is worse for it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.acquisition.distances import nearest_center, squared_distances
from al_service.acquisition.diversity import LargestClusterMaximumDistance
from al_service.acquisition.information import (
    aim_moment,
    covariance_of,
    unit_noise,
)
from al_service.acquisition.information_gain import GreedyGain
from al_service.acquisition.spreading import posterior_scaled
from al_service.acquisition.walking import Walk, follow
from al_service.studies.speed.bmdal import Reference, is_installed
from al_service.studies.speed.crowded_sky import PRIOR_PRECISION, crowded_sky
from al_service.studies.speed.measuring import (
    Budget,
    Fact,
    Measurement,
    Size,
    side_by_side,
    timed,
)

NAME: Final = "reference"

BUDGET: Final = Budget(ratio=1 / 3)
"""For LCMD and BAIT on 50,000 objects."""

_NOISE_PRECISION: Final = 4.0
"""Of a label: a noise of half the spread of the latents."""

Floats32 = NDArray[np.float32]


@dataclass(frozen=True)
class _Scale:
    pools: tuple[int, ...]
    labels: int
    dim: int
    places: int


_SCALES: Final = {
    Size.SMALL: _Scale((1500,), 200, 16, places=24),
    Size.FULL: _Scale((10_000, 50_000, 100_000), 4000, 256, places=256),
}


@dataclass(frozen=True)
class _Match:
    """One method, ours and theirs, on one pool."""

    name: str
    ours: Callable[[], list[int]]
    theirs: Callable[[Reference], list[int]]
    objective: Callable[[list[int]], float]
    """Of a batch, less is better."""


def measure(size: Size) -> list[Measurement]:
    """Time LCMD, BAIT and MaxDet against `bmdal_reg`."""
    scale = _SCALES[size]
    reference = Reference() if is_installed() else None
    return [
        _measured(match, count, scale, reference)
        for count in scale.pools
        for match in _matches(count, scale)
    ]


def _matches(count: int, scale: _Scale) -> list[_Match]:
    sky = crowded_sky(count, scale.labels, scale.dim)
    pool, labeled = np.ascontiguousarray(sky.unlabeled), sky.labeled
    points = _posterior_features(pool, labeled)
    names = np.array([f"{row:08d}" for row in range(count)])

    def walked(walk: Walk) -> list[int]:
        return [int(row) for row in follow(walk, names, size=scale.places)]

    def lcmd() -> list[int]:
        nearest = nearest_center(pool, labeled)
        return walked(
            LargestClusterMaximumDistance(
                pool, nearest, n_centers=len(labeled), object_ids=names
            )
        )

    def gain(moment: NDArray[np.float64] | None) -> list[int]:
        start = np.eye(points.shape[1])
        return walked(GreedyGain(points, start, object_ids=names, moment=moment))

    return [
        _Match(
            "LCMD",
            lcmd,
            lambda reference: reference.lcmd(pool, labeled, scale.places),
            lambda rows: _distance_left(pool, labeled, rows),
        ),
        _Match(
            "BAIT",
            lambda: gain(aim_moment(points, np.ones(count))),
            lambda reference: reference.bait(points, scale.places),
            lambda rows: _variance_left(points, rows),
        ),
        _Match(
            "MaxDet",
            lambda: gain(None),
            lambda reference: reference.max_det(points, scale.places),
            lambda rows: -_information(points, rows),
        ),
    ]


def _measured(
    match: _Match, count: int, scale: _Scale, reference: Reference | None
) -> Measurement:
    what = (
        f"{match.name}, {scale.places} of {count:,}, {scale.labels:,} labeled, "
        f"D = {scale.dim}"
    )
    if reference is None:
        (wall, _), _ = timed(match.ours)
        missing: Mapping[str, Fact] = {"missing": "pip install 'al-service[bench]'"}
        return Measurement(NAME, what, "s", wall, "bmdal_reg", None, facts=missing)
    times = side_by_side(
        match.ours, lambda: match.theirs(reference), repeats=1, warm_up=False
    )
    ours, theirs = times.our_result, times.their_result
    best, found = match.objective(theirs), match.objective(ours)
    facts: dict[str, Fact] = {
        "the_same_objects": len(set(ours) & set(theirs)),
        "the_same_from_the_first": _common_start(ours, theirs),
        "objective_over_theirs": found / best if best > 0 else best / found,
    }
    return Measurement(
        NAME,
        what,
        "s",
        times.ours.seconds,
        "bmdal_reg 3.0.2",
        times.theirs.seconds,
        BUDGET if count == 50_000 and match.name != "MaxDet" else Budget(),
        facts | times.facts(),
    )


def _common_start(ours: list[int], theirs: list[int]) -> int:
    """Places before the first difference."""
    pairs = zip(ours, theirs, strict=True)
    return next((i for i, (one, other) in enumerate(pairs) if one != other), len(ours))


def _posterior_features(pool: Floats32, labeled: Floats32) -> Floats32:
    """`N x (D + 1)` with |y|² = epistemic variance over noise, given the labels."""
    known = unit_noise(labeled, np.full(len(labeled), _NOISE_PRECISION))
    points = unit_noise(pool, np.full(len(pool), _NOISE_PRECISION))
    return posterior_scaled(points, covariance_of(known, PRIOR_PRECISION))


def _distance_left(pool: Floats32, labeled: Floats32, rows: list[int]) -> float:
    """Mean squared distance of the pool to labels and batch."""
    nearest = nearest_center(pool, labeled).squared
    for row in rows:
        here = np.zeros(len(pool), dtype=np.int64)
        squared = squared_distances(pool, pool[row][None], here)
        nearest = np.minimum(nearest, squared)
    return float(nearest.mean())


def _variance_left(points: Floats32, rows: list[int]) -> float:
    """Mean epistemic variance over noise of the pool after the batch."""
    chosen = points[rows].astype(np.float64)
    covariance = np.linalg.inv(np.eye(points.shape[1]) + chosen.T @ chosen)
    return float(np.trace(covariance @ aim_moment(points, np.ones(len(points)))))


def _information(points: Floats32, rows: list[int]) -> float:
    """Nats that the labels of the batch say about the weights."""
    chosen = points[rows].astype(np.float64)
    gram = np.eye(len(rows)) + chosen @ chosen.T
    return 0.5 * float(np.linalg.slogdet(gram)[1])
