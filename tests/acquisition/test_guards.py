from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from al_service.acquisition.config import Strategy
from al_service.acquisition.guards import (
    odd_ones,
    quota_share,
    strata_of,
    within_shares,
)
from al_service.errors import InvalidInput
from tests.acquisition.skies import SmallSky, small_sky


def within_quota(
    order: NDArray[np.int64], strata: NDArray[np.int64], most: float
) -> NDArray[np.int64]:
    return within_shares(order, [quota_share(strata, most)])


def with_junk(sky: SmallSky, rows: list[int]) -> SmallSky:
    """The same sky with some objects far outside, each on its own."""
    sky.features[rows] = 100.0 * np.eye(len(rows), sky.features.shape[1])
    return sky


def test_junk_is_odd_and_the_crowd_is_not() -> None:
    junk = [3, 50, 200]
    sky = with_junk(small_sky(), junk)

    odd = odd_ones(sky.features, 0.0075)

    assert np.flatnonzero(odd).tolist() == junk
    assert not odd_ones(sky.features, 0.0).any()
    assert not odd_ones(sky.features[:5], 0.1).any()


@pytest.mark.parametrize("name", [Strategy.LCMD, Strategy.CORESET, Strategy.BAIT])
def test_the_gate_puts_junk_last_and_reports_it(name: Strategy) -> None:
    junk = [3, 50, 200]
    sky = with_junk(small_sky(), junk)

    open_gate = sky.rank(name, size=400, greedy=50, isolation=0.0)
    gated = sky.rank(name, size=400, greedy=50, isolation=0.0, gate=0.0075)
    default = sky.rank(name, size=400, greedy=50, isolated_share=0.0)

    assert default.order.tolist() == gated.order.tolist()
    assert default.odd.tolist() == junk
    assert set(open_gate.order[:10].tolist()) & set(junk)
    assert sorted(gated.order[-3:].tolist()) == junk == gated.odd.tolist()
    assert sorted(gated.order.tolist()) == list(range(400))
    assert len(open_gate.odd) == 0


def test_of_those_that_stand_alone_a_few_are_asked_for_now_and_then() -> None:
    junk = list(range(0, 400, 40))
    sky = with_junk(small_sky(dim=16), junk)

    ranking = sky.rank(Strategy.LCMD, size=120, greedy=120, isolated_share=0.025)

    places = np.flatnonzero(np.isin(ranking.order, junk)).tolist()
    assert places == [0, 40, 80]
    few = sorted(junk, key=lambda row: sky.random_keys[row])[:3]
    assert sorted(ranking.order[places].tolist()) == sorted(few)
    assert ranking.odd.tolist() == sorted(set(junk) - set(few))


def test_a_long_order_holds_back_whom_the_walk_alone_would_hold_back() -> None:
    """A ranking of the whole pool let all of them in, the strangest first."""
    junk = list(range(0, 400, 40))
    sky = with_junk(small_sky(dim=16), junk)

    short = sky.rank(Strategy.LCMD, size=120, greedy=120)
    whole = sky.rank(Strategy.LCMD, size=400, greedy=120)

    assert whole.order[:120].tolist() == short.order.tolist()
    assert whole.odd.tolist() == short.odd.tolist()
    assert len(whole.odd) == 7
    assert sorted(whole.order[-7:].tolist()) == whole.odd.tolist()


def test_what_is_held_back_comes_behind_the_few_that_stand_alone() -> None:
    junk = list(range(0, 400, 40))
    sky = with_junk(small_sky(dim=16), junk)
    held = np.zeros(400, dtype=np.bool_)
    held[1::2] = True

    order = sky.rank(Strategy.LCMD, size=400, held=held, isolated_share=0.025).order

    assert not held[order[:200]].any()
    assert held[order[200:]].all()


@pytest.mark.parametrize("size", [60, 397, 398])
def test_an_order_that_is_full_before_the_junk_has_none_of_it(size: int) -> None:
    """A pool larger than its ranking and with a gate: every run failed."""
    sky = with_junk(small_sky(), [3, 50, 200])

    whole = sky.rank(Strategy.LCMD, size=400, greedy=50, gate=0.0075)
    beginning = sky.rank(Strategy.LCMD, size=size, greedy=50, gate=0.0075)

    assert beginning.order.tolist() == whole.order[:size].tolist()


def test_a_galaxy_with_an_odd_observation_is_ranked_once() -> None:
    sky = with_junk(small_sky(), [3, 50, 200])
    alone = sky.rank(Strategy.LCMD, size=400, greedy=50, gate=0.0075)
    groups = sky.group_ids.copy()
    groups[3] = groups[alone.order[390]]

    ranking = replace(sky, group_ids=groups).rank(
        Strategy.LCMD, size=400, greedy=50, gate=0.0075
    )

    assert sorted([*ranking.order.tolist(), 3]) == list(range(400))


def test_a_quota_calls_nobody_out_from_behind_the_gate() -> None:
    """Where a stratum was full, junk of another one came before the last galaxies."""
    junk = [3, 50, 200]
    sky = with_junk(small_sky(), junk)
    strata = np.ones(400, dtype=np.int64)
    strata[:150] = 0
    strata[junk] = 0

    ranking = sky.rank(
        Strategy.LCMD, size=400, greedy=50, gate=0.0075, quota=0.5, strata=strata
    )

    assert sorted(ranking.order[-3:].tolist()) == junk
    assert np.bincount(strata[ranking.order[:200]]).max() <= 100


def test_a_quota_lets_in_no_more_of_those_that_stand_alone() -> None:
    """Where every other stratum was full, junk came as the best that was left."""
    junk = list(range(0, 400, 20))
    sky = with_junk(small_sky(dim=32), junk)
    strata = (np.arange(400) % 10 != 0).astype(np.int64)

    ranking = sky.rank(
        Strategy.LCMD, size=400, greedy=200, quota=0.6, strata=strata
    ).order

    alone = np.isin(ranking, junk)
    for size in range(1, 40):  # then nobody else is left of the other stratum
        assert alone[:size].sum() <= np.ceil(0.025 * size)
        counts = np.bincount(strata[ranking[:size]], minlength=2)
        assert counts.max() <= np.ceil(0.6 * size)


def test_no_stratum_has_more_than_its_share_of_any_beginning() -> None:
    strata = np.repeat([0, 1, 2, 3], 25)
    order = np.arange(100)

    mixed = within_quota(order, strata, 0.4)

    assert sorted(mixed.tolist()) == list(range(100))
    for size in range(1, 60):
        counts = np.bincount(strata[mixed[:size]], minlength=4)
        assert counts.max() <= np.ceil(0.4 * size)
    for stratum in range(4):
        own = mixed[strata[mixed] == stratum]
        assert own.tolist() == sorted(own.tolist())


def test_a_share_of_fourteen_hundredths_of_fifty_is_seven() -> None:
    """In float64 it is a little more, and was rounded up to eight."""
    strata = np.repeat(np.arange(8), 50)

    mixed = within_quota(np.arange(400), strata, 0.14)

    assert np.bincount(strata[mixed[:50]]).max() == 7


def test_an_order_that_keeps_the_quota_already_is_left_alone() -> None:
    order = np.arange(40)

    assert within_quota(order, order % 4, 0.5).tolist() == order.tolist()


def test_objects_of_no_stratum_are_free_and_the_last_ones_come_all_the_same() -> None:
    strata = np.array([0, 0, 0, -1, -1, 0])

    assert within_quota(np.arange(6), strata, 1.0).tolist() == list(range(6))
    assert sorted(within_quota(np.arange(6), np.zeros(6, int), 1.0)) == list(range(6))


def test_a_quota_that_cannot_be_kept_is_refused() -> None:
    with pytest.raises(InvalidInput, match="at least 1/4"):
        within_quota(np.arange(8), np.arange(8) % 4, 0.2)


def test_tenths_are_tenths_and_the_unknown_belongs_to_none() -> None:
    signal = np.append(
        np.random.default_rng(1).permutation(1000.0 + np.arange(1000)), np.nan
    )

    strata = strata_of(signal)

    assert np.bincount(strata[:-1]).tolist() == [100] * 10
    assert strata[-1] == -1
    assert strata[int(np.nanargmin(signal))] == 0


def test_a_strategy_with_a_quota_ranks_within_it() -> None:
    sky = small_sky()
    strata = (np.arange(400) % 40 == 0).astype(np.int64)

    from_rank = sky.rank(Strategy.TOP_VARIANCE, size=400, strata=strata, quota=0.5)

    first = strata[from_rank.order[:16]]
    assert first.sum() == 8


@pytest.mark.parametrize("name", [name for name in Strategy if name != "random"])
def test_doubtful_objects_come_last_and_are_reported(name: Strategy) -> None:
    sky = small_sky(n_objects=120)
    held = np.arange(120) % 6 == 0

    ranking = sky.rank(name, size=120, held=held, greedy=40)
    beginning = sky.rank(name, size=60, held=held, greedy=40)

    assert held[ranking.order[-20:]].all()
    assert sorted(ranking.order.tolist()) == list(range(120))
    assert ranking.odd.tolist() == np.flatnonzero(held).tolist()
    assert not held[beginning.order].any()


def test_the_control_takes_doubtful_objects_as_they_come() -> None:
    sky = small_sky(n_objects=120)

    ranking = sky.rank(Strategy.RANDOM, size=120, held=np.ones(120, dtype=np.bool_))

    assert ranking.order.tolist() == sky.rank(Strategy.RANDOM, size=120).order.tolist()
    assert len(ranking.odd) == 0


def test_flags_and_the_gate_hold_back_together() -> None:
    junk = [3, 50, 200]
    sky = with_junk(small_sky(), junk)

    ranking = sky.rank(
        Strategy.LCMD,
        size=400,
        greedy=50,
        gate=0.0075,
        held=np.isin(np.arange(400), [7, 8]),
    )

    assert sorted(ranking.order[-5:].tolist()) == [3, 7, 8, 50, 200]


def test_a_galaxy_blocked_elsewhere_shifts_no_flag() -> None:
    """Flags and strata are of all candidates, places are of those that are free."""
    sky = small_sky(n_objects=60)
    held = np.arange(60) == 40
    strata = (np.arange(60) >= 30).astype(np.int64)

    ranking = sky.rank(
        Strategy.TOP_VARIANCE,
        size=60,
        blocked=frozenset(sky.group_ids[:10].tolist()),
        held=held,
        strata=strata,
        quota=0.5,
    )

    assert ranking.order[-1] == 40
    assert np.bincount(strata[ranking.order[:40]]).tolist() == [20, 20]
