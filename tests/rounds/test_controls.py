from pathlib import Path

import numpy as np
import pytest

from al_service.rounds.controls import FEWEST, choose_arms
from db.vocabulary import Arm, RunKind
from tests.conftest import Database
from tests.rounds.observatory import Observatory, build_observatory, start_full_run


@pytest.fixture
def sky(database: Database, tmp_path: Path) -> Observatory:
    return build_observatory(database.sessions, tmp_path)


def test_the_arms_are_the_initial_set_and_equally_many_others() -> None:
    count = 40
    places = np.arange(count)
    initial = places < 8
    random_keys = np.random.default_rng(3).permutation(count).astype(np.int64)
    by_strategy = places % 2 == 0
    first_label_ids = places[::-1].astype(np.int64)

    arms = choose_arms(
        initial=initial,
        random_keys=random_keys,
        last_key=25,
        by_strategy=by_strategy,
        first_label_ids=first_label_ids,
    )

    assert arms is not None
    sample = [place for place in places if place >= 8 and random_keys[place] <= 25]
    chosen = [place for place in places if place >= 8 and place % 2 == 0]
    assert arms.own == min(len(sample), len(chosen)) >= FEWEST
    assert len(arms.random) == len(arms.active) == 8 + arms.own
    assert set(places[:8]) <= set(arms.random) & set(arms.active)
    smallest = sorted(sample, key=lambda place: random_keys[place])[: arms.own]
    first = sorted(chosen, key=lambda place: first_label_ids[place])[: arms.own]
    assert set(arms.random[8:]) == set(smallest)
    assert set(arms.active[8:]) == set(first)


def test_an_object_that_the_strategy_took_joins_the_random_sample_at_no_cost() -> None:
    arms = choose_arms(
        initial=np.zeros(12, dtype=np.bool_),
        random_keys=np.arange(12),
        last_key=11,
        by_strategy=np.ones(12, dtype=np.bool_),
        first_label_ids=np.arange(12),
    )

    assert arms is not None
    assert arms.random.tolist() == arms.active.tolist() == list(range(12))


def test_fewer_than_ten_labels_of_their_own_are_no_comparison() -> None:
    arms = choose_arms(
        initial=np.zeros(30, dtype=np.bool_),
        random_keys=np.arange(30),
        last_key=FEWEST - 2,
        by_strategy=np.ones(30, dtype=np.bool_),
        first_label_ids=np.arange(30),
    )

    assert arms is None


def test_the_control_compares_arms_of_equal_numbers(sky: Observatory) -> None:
    campaign_id, run_id = start_full_run(sky, random_share=0.5)
    sky.carry_out(run_id)
    sky.observe(campaign_id, 60)

    run = sky.publish(campaign_id, RunKind.FULL)

    numbers = {
        point.arm: point.n_labels
        for point in sky.points(run.id)
        if point.metric == "rmse_norm"
    }
    assert numbers[Arm.ACTIVE] == 120
    assert numbers[Arm.RANDOM] == numbers[Arm.ACTIVE_MATCHED]
    assert 70 <= numbers[Arm.RANDOM] < 120
