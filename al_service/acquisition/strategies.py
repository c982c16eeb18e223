"""The strategies a campaign may choose, behind one call."""

import math
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.acquisition.config import (
    DEFAULT_STRATEGY,
    WALKING,
    ColdStart,
    Strategy,
    StrategyConfig,
)
from al_service.acquisition.distances import FindNearest
from al_service.acquisition.guards import (
    ROUNDING,
    Share,
    odd_ones,
    quota_share,
    share_of_few,
    within_shares,
)
from al_service.acquisition.information import Knowledge
from al_service.acquisition.isolation import Scaled, isolated
from al_service.acquisition.power import by_lot
from al_service.acquisition.ranking import (
    Ranking,
    check_candidates,
    highest_first,
    one_per_galaxy,
    unblocked,
)
from al_service.acquisition.walking import Candidates, follow
from al_service.acquisition.walks import start_walk
from al_service.errors import InvalidInput

__all__: Final = [
    "DEFAULT_STRATEGY",
    "ColdStart",
    "Strategy",
    "StrategyConfig",
    "rank",
]


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
    knowledge: Knowledge | None = None,
    strata: NDArray[np.int64] | None = None,
    held: NDArray[np.bool_] | None = None,
    find_nearest: FindNearest | None = None,
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
        seed: of draws, among them of the sample that stands for a pool larger than
            `greedy_pool`.
        feature_rows: `N` rows of the candidates in the features; default: their order.
        feature_scale: `D` factors on features before distances are taken; default: 1.
        knowledge: of the posterior, for strategies that look at it.
        strata: `N` strata that the strategy's quota holds for; default: no quota.
        held: `N` flags of doubtful objects, which come last; strategy `random` takes
            them as they come.
        find_nearest: finds nearest centers by what is remembered of `feature_rows`;
            default: from their features alone.

    Returns:
        Positions in the given candidates, best first. The same arguments give the
        same order, bit for bit.
    """
    everything = Candidates(
        features,
        np.arange(len(features)) if feature_rows is None else feature_rows,
        np.asarray(score, dtype=np.float64),
        object_ids,
        group_ids,
        random_keys,
        knowledge,
        find_nearest,
    )
    _check(everything)
    free = np.flatnonzero(unblocked(group_ids, blocked_groups))
    candidates = everything if len(free) == len(score) else everything.take(free)
    scale = np.ones(1) if feature_scale is None else feature_scale
    held = None if held is None else held[free]
    odd, few = _guarded(strategy, candidates, scale, held, size=size)
    chosen = _chosen(
        strategy,
        candidates,
        center_features,
        odd=odd,
        scale=scale,
        size=size,
        seed=seed,
    )
    shares = _shares(strategy, few, None if strata is None else strata[free], len(free))
    if shares:
        chosen = _within(chosen, odd, shares)
    order = free[chosen]
    return Ranking(order, everything.score[order], str(strategy.name), free[odd])


def _shares(
    strategy: StrategyConfig,
    few: NDArray[np.int64],
    strata: NDArray[np.int64] | None,
    count: int,
) -> list[Share]:
    """What no beginning of the order may have too much of."""
    shares = []
    if len(few):
        shares.append(share_of_few(few, strategy.isolated_share, count=count))
    if strata is not None and strategy.quota < 1.0:
        shares.append(quota_share(strata, strategy.quota))
    return shares


def _within(
    chosen: NDArray[np.int64], odd: NDArray[np.int64], shares: Sequence[Share]
) -> NDArray[np.int64]:
    """The order within the shares; what is held back stays behind the others."""
    last = np.isin(chosen, odd)
    parts = [within_shares(part, shares) for part in (chosen[~last], chosen[last])]
    return np.concatenate(parts)


def _check(candidates: Candidates) -> None:
    check_candidates(candidates.score, candidates.object_ids, candidates.group_ids)
    count = len(candidates.score)
    if len(candidates.rows) != count or len(candidates.random_keys) != count:
        raise InvalidInput(
            f"expected features and random keys for {count} candidates, "
            f"got {len(candidates.rows)} and {len(candidates.random_keys)}"
        )


def _chosen(
    strategy: StrategyConfig,
    candidates: Candidates,
    center_features: NDArray[np.floating],
    *,
    odd: NDArray[np.int64],
    scale: NDArray[np.float64],
    size: int,
    seed: int,
) -> NDArray[np.int64]:
    """Rows of the candidates in the strategy's order."""
    if strategy.name in WALKING:
        return _by_walking(
            strategy,
            candidates,
            center_features,
            odd=odd,
            scale=scale,
            size=size,
            seed=seed,
        )
    if strategy.name is Strategy.RANDOM:
        return _by_random_key(candidates, size)
    worth = candidates.score
    if strategy.name is Strategy.POWER_VARIANCE:
        worth = by_lot(
            candidates.score, candidates.random_keys, power=strategy.power, seed=seed
        )
    if len(odd):
        worth = worth.copy()
        worth[odd] = -np.inf
    return _highest(candidates, worth, size)


def _guarded(
    strategy: StrategyConfig,
    candidates: Candidates,
    scale: NDArray[np.float64],
    held: NDArray[np.bool_] | None,
    *,
    size: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows that are held back, and of those that stand alone the few that are not."""
    nobody = np.empty(0, dtype=np.int64)
    if strategy.name is Strategy.RANDOM:
        return nobody, nobody
    flags = np.zeros(len(candidates.score), dtype=np.bool_) if held is None else held
    if strategy.name not in WALKING:
        return np.flatnonzero(flags), nobody
    scaled = Scaled(candidates.features, candidates.rows, scale.astype(np.float32))
    if strategy.gate > 0.0:
        everybody = np.arange(len(scaled))
        flags = flags | odd_ones(scaled.take(everybody), strategy.gate)
    if strategy.isolation == 0.0:
        return np.flatnonzero(flags), nobody
    alone = np.flatnonzero(isolated(scaled, strategy.isolation) & ~flags)
    places = min(size, strategy.greedy)
    few = _by_lot(candidates, alone, strategy.isolated_share, places)
    flags = flags.copy()
    flags[np.setdiff1d(alone, few)] = True
    return np.flatnonzero(flags), few


def _by_lot(
    candidates: Candidates, rows: NDArray[np.int64], share: float, size: int
) -> NDArray[np.int64]:
    """As many of some rows as may be among so many places, by the random keys."""
    keys = candidates.random_keys[rows]
    order = np.lexsort((candidates.object_ids[rows], keys))
    return np.sort(rows[order[: math.ceil(share * size - ROUNDING)]])


def _by_random_key(candidates: Candidates, size: int) -> NDArray[np.int64]:
    order = np.lexsort((candidates.object_ids, candidates.random_keys))
    return one_per_galaxy(order.astype(np.int64), candidates.group_ids, size=size)


def _highest(
    candidates: Candidates, score: NDArray[np.float64], size: int
) -> NDArray[np.int64]:
    """The galaxies of the highest scores; looks further down where galaxies repeat."""
    reach = size
    while True:
        order = highest_first(score, candidates.object_ids, reach)
        chosen = one_per_galaxy(order, candidates.group_ids, size=size)
        if len(chosen) == size or reach >= len(score):
            return chosen
        reach *= 2


def _by_walking(
    strategy: StrategyConfig,
    candidates: Candidates,
    center_features: NDArray[np.floating],
    *,
    odd: NDArray[np.int64],
    scale: NDArray[np.float64],
    size: int,
    seed: int,
) -> NDArray[np.int64]:
    """A walk for the first places, then the most uncertain of the other galaxies."""
    count = len(candidates.score)
    if count == 0:
        return np.empty(0, dtype=np.int64)
    looked_at, some = np.arange(count), candidates
    if count > strategy.greedy_pool:
        looked_at = _sample(count, strategy.greedy_pool, seed)
        some = candidates.take(looked_at)
    walk = start_walk(strategy, some, center_features, scale=scale, seed=seed)
    walk.retire(np.flatnonzero(np.isin(looked_at, odd)))
    places = min(size, strategy.greedy)
    order = looked_at[follow(walk, some.group_ids, size=places)]
    plain = np.setdiff1d(np.arange(count), odd, assume_unique=True)
    for rows in (plain, odd):  # those held back come last
        order = _filled_up(order, rows, candidates, size)
    return order


def _filled_up(
    order: NDArray[np.int64],
    rows: NDArray[np.int64],
    candidates: Candidates,
    size: int,
) -> NDArray[np.int64]:
    """An order that goes on with the most uncertain of some rows, new galaxies only."""
    left = size - len(order)
    if left == 0:
        return order
    taken = set(candidates.group_ids[order].tolist())
    rows = rows[unblocked(candidates.group_ids[rows], taken)]
    others = candidates.take(rows)
    return np.concatenate([order, rows[_highest(others, others.score, left)]])


def _sample(count: int, size: int, seed: int) -> NDArray[np.int64]:
    """Rows that stand for all, in ascending order."""
    generator = np.random.default_rng(seed)
    return np.sort(generator.choice(count, size=size, replace=False))
