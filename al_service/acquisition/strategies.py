"""The strategies a campaign may choose, behind one call."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from al_service.acquisition.distances import Nearest, nearest_center
from al_service.acquisition.diversity import LargestClusterMaximumDistance
from al_service.acquisition.ranking import (
    Ranking,
    check_candidates,
    highest_first,
    one_per_galaxy,
    unblocked,
)
from al_service.errors import InvalidInput


class Strategy(StrEnum):
    """How the candidates of a campaign are ordered."""

    RANDOM = "random"  # by random key: the control of every comparison
    TOP_VARIANCE = "top_variance"  # most uncertain first: a control, known to be bad
    LCMD = "lcmd"  # most uncertain regions first, one object from each


DEFAULT_STRATEGY = Strategy.LCMD


class StrategyConfig(BaseModel):
    """A strategy with its settings, as a campaign stores it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    name: Strategy = DEFAULT_STRATEGY

    density_alpha: float = Field(default=0.5, ge=0.0, le=2.0)
    """Exponent of the pool-density weights of LCMD; the controls use none."""

    greedy: int = Field(default=1024, ge=1)
    """How many places LCMD fills one by one; by score come the places after them."""

    greedy_pool: int = Field(default=250_000, ge=1)
    """How many candidates LCMD looks at: a random sample stands for a larger pool."""

    @property
    def weights_alpha(self) -> float:
        """The exponent that training uses: 0 where labels are a random sample."""
        return self.density_alpha if self.name is Strategy.LCMD else 0.0


@dataclass(frozen=True)
class Candidates:
    """What may be asked: every row is free and no galaxy of it is taken."""

    features: NDArray[np.floating]
    """Whitened features, at least of the candidates; a memory map is not read."""

    rows: NDArray[np.int64]
    """`N` rows in the features: a million candidates copy no features."""

    score: NDArray[np.float64]
    """`N` summed noise-normalized epistemic variances."""

    object_ids: NDArray[np.str_]
    group_ids: NDArray[np.str_]

    random_keys: NDArray[np.int64]
    """`N` fixed random keys of the campaign."""

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> "Candidates":
        """The same columns for some rows."""
        return Candidates(
            features=self.features,
            rows=self.rows[rows],
            score=self.score[rows],
            object_ids=self.object_ids[rows],
            group_ids=self.group_ids[rows],
            random_keys=self.random_keys[rows],
        )


def rank(
    strategy: StrategyConfig,
    *,
    features: NDArray[np.floating],
    score: NDArray[np.float64],
    object_ids: NDArray[np.str_],
    group_ids: NDArray[np.str_],
    center_features: NDArray[np.floating],
    blocked_groups: AbstractSet[str],
    random_keys: NDArray[np.int64],
    size: int,
    seed: int,
    feature_rows: NDArray[np.int64] | None = None,
    feature_scale: NDArray[np.float64] | None = None,
) -> Ranking:
    """Order candidates by what their labels would teach.

    Args:
        strategy: which order, with its settings.
        features: whitened features of the candidates, `N x D`, or of more objects.
        score: `N` summed noise-normalized epistemic variances, finite.
        object_ids: `N` identifiers, which break ties.
        group_ids: `N` galaxies: at most one observation of each is ranked.
        center_features: `M x D` features of labeled and pending objects.
        blocked_groups: galaxies that are labeled or pending: never ranked.
        random_keys: `N` fixed random keys of the campaign.
        size: how many candidates to order at most.
        seed: draws the sample that stands for a pool larger than `greedy_pool`.
        feature_rows: `N` rows of the candidates in the features; default: their order.
        feature_scale: `D` factors on features before distances are taken; default: 1.

    Returns:
        Positions in the given candidates, best first. The same arguments give the
        same order, bit for bit.
    """
    score = np.asarray(score, dtype=np.float64)
    check_candidates(score, object_ids, group_ids)
    rows = np.arange(len(features)) if feature_rows is None else feature_rows
    if len(rows) != len(score) or len(random_keys) != len(score):
        raise InvalidInput(
            f"expected features and random keys for {len(score)} candidates, "
            f"got {len(rows)} and {len(random_keys)}"
        )
    everything = Candidates(features, rows, score, object_ids, group_ids, random_keys)
    free = np.flatnonzero(unblocked(group_ids, blocked_groups))
    candidates = everything if len(free) == len(score) else everything.take(free)
    if strategy.name is Strategy.RANDOM:
        chosen = _by_random_key(candidates, size)
    elif strategy.name is Strategy.TOP_VARIANCE:
        chosen = _by_score(candidates, size)
    else:
        chosen = _by_diversity(
            strategy,
            candidates,
            center_features,
            scale=np.ones(1) if feature_scale is None else feature_scale,
            size=size,
            seed=seed,
        )
    order = free[chosen]
    return Ranking(order=order, score=score[order], reason=str(strategy.name))


def _by_random_key(candidates: Candidates, size: int) -> NDArray[np.int64]:
    order = np.lexsort((candidates.object_ids, candidates.random_keys))
    return one_per_galaxy(order.astype(np.int64), candidates.group_ids, size=size)


def _by_score(candidates: Candidates, size: int) -> NDArray[np.int64]:
    """The most uncertain galaxies; looks further down where galaxies repeat."""
    reach = size
    while True:
        order = highest_first(candidates.score, candidates.object_ids, reach)
        chosen = one_per_galaxy(order, candidates.group_ids, size=size)
        if len(chosen) == size or reach >= len(candidates.score):
            return chosen
        reach *= 2


def _by_diversity(
    strategy: StrategyConfig,
    candidates: Candidates,
    center_features: NDArray[np.floating],
    *,
    scale: NDArray[np.float64],
    size: int,
    seed: int,
) -> NDArray[np.int64]:
    """LCMD for the first places, then the most uncertain of the remaining galaxies."""
    places = min(size, strategy.greedy)
    if len(candidates.score) <= strategy.greedy_pool:
        walked = _walk(candidates, center_features, scale=scale, size=places)
    else:
        sample = _sample(len(candidates.score), strategy.greedy_pool, seed)
        some = candidates.take(sample)
        walked = sample[_walk(some, center_features, scale=scale, size=places)]
    if len(walked) == size:
        return walked
    rest = np.flatnonzero(
        unblocked(candidates.group_ids, set(candidates.group_ids[walked].tolist()))
    )
    followers = rest[_by_score(candidates.take(rest), size - len(walked))]
    return np.concatenate([walked, followers])


def _sample(count: int, size: int, seed: int) -> NDArray[np.int64]:
    """Rows that stand for all, in ascending order."""
    generator = np.random.default_rng(seed)
    return np.sort(generator.choice(count, size=size, replace=False))


def _walk(
    candidates: Candidates,
    center_features: NDArray[np.floating],
    *,
    scale: NDArray[np.float64],
    size: int,
) -> NDArray[np.int64]:
    """The LCMD order of the first `size` galaxies."""
    if len(candidates.score) == 0:
        return np.empty(0, dtype=np.int64)
    factors = scale.astype(np.float32)
    features = candidates.features[candidates.rows].astype(np.float32, copy=False)
    features *= factors  # a copy of their rows already
    centers = np.asarray(center_features, dtype=np.float32) * factors
    if len(centers) == 0:
        centers = features.mean(axis=0, dtype=np.float64)[None].astype(np.float32)
    nearest: Nearest = nearest_center(features, centers)
    walk = LargestClusterMaximumDistance(
        features,
        nearest,
        n_centers=len(centers),
        object_ids=candidates.object_ids,
    )
    groups = candidates.group_ids.tolist()
    galaxy = _numbered(groups) if len(set(groups)) < len(groups) else None
    chosen: list[int] = []
    while len(chosen) < size and (row := walk.choose()) is not None:
        chosen.append(row)
        if galaxy is not None:
            walk.retire(np.flatnonzero(galaxy == galaxy[row]))
    return np.asarray(chosen, dtype=np.int64)


def _numbered(groups: list[str]) -> NDArray[np.int64]:
    """The galaxies as numbers, which compare faster than texts."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(group, len(numbers)) for group in groups])
