from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from al_service.rounds.controls import choose_arms
from al_service.rounds.curve_notes import FEWEST_OF_AN_ARM
from al_service.rounds.planning import plan
from db.repositories import training
from db.tables import Candidate, Label, SkyObject
from db.vocabulary import Arm, RunKind, RunState, Split
from tests.conftest import Database
from tests.db.factories import make_campaign, make_pool, write_label
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
        first_unanswered=None,
        by_strategy=by_strategy,
        first_label_ids=first_label_ids,
    )

    assert arms is not None
    sample = [place for place in places if place >= 8 and random_keys[place] <= 25]
    chosen = [place for place in places if place >= 8 and place % 2 == 0]
    assert arms.own == min(len(sample), len(chosen)) >= FEWEST_OF_AN_ARM
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
        first_unanswered=None,
        by_strategy=np.ones(12, dtype=np.bool_),
        first_label_ids=np.arange(12),
    )

    assert arms is not None
    assert arms.random.tolist() == arms.active.tolist() == list(range(12))


def test_the_random_arm_ends_at_the_first_key_without_an_answer() -> None:
    """Beyond it only those are labeled that the strategy took: no random sample."""
    arms = choose_arms(
        initial=np.zeros(40, dtype=np.bool_),
        random_keys=np.arange(40) + (np.arange(40) >= 15),
        last_key=35,
        first_unanswered=15,
        by_strategy=np.ones(40, dtype=np.bool_),
        first_label_ids=np.arange(40)[::-1],
    )

    assert arms is not None
    assert arms.own == 15
    assert arms.random.tolist() == list(range(15))


def test_an_answer_of_any_quality_is_one_but_not_one_that_the_run_has_not_seen(
    session: Session,
) -> None:
    make_pool(session)
    campaign = make_campaign(session)
    names = session.scalars(
        select(SkyObject.object_id)
        .join(Candidate, Candidate.sky_object_id == SkyObject.id)
        .where(Candidate.split == Split.POOL)
        .order_by(Candidate.random_key)
    ).all()
    keys = session.scalars(
        select(Candidate.random_key)
        .where(Candidate.split == Split.POOL)
        .order_by(Candidate.random_key)
    ).all()
    for name in (*names[:5], *names[7:24]):
        write_label(session, campaign, name)
    run_id = plan(session, campaign, RunKind.FULL)

    def gap() -> int | None:
        key = training.first_unanswered_key(session, campaign.id, run_id)
        return None if key is None else list(keys).index(key)

    assert gap() == 5
    write_label(session, campaign, names[5], quality=1)
    assert gap() == 6, "somebody looked and could not tell"
    write_label(session, campaign, names[6])
    assert gap() == 6, "the labels were frozen before"


def test_fewer_than_ten_labels_of_their_own_are_no_comparison() -> None:
    arms = choose_arms(
        initial=np.zeros(30, dtype=np.bool_),
        random_keys=np.arange(30),
        last_key=FEWEST_OF_AN_ARM - 2,
        first_unanswered=None,
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


def test_a_refused_run_keeps_the_points_of_its_control_arms(sky: Observatory) -> None:
    campaign_id, run_id = start_full_run(sky, random_share=0.5)
    sky.carry_out(run_id)
    sky.observe(campaign_id, 60)
    # Wrong corrections make the new network clearly worse than the one that serves.
    with sky.sessions.begin() as session:
        for label in session.query(Label).filter_by(campaign_id=campaign_id).all():
            session.add(
                Label(
                    campaign_id=campaign_id,
                    sky_object_id=label.sky_object_id,
                    split=label.split,
                    values={"z": 3.0 + 0.01 * (label.id % 7)},
                    labeler=label.labeler,
                    supersedes_id=label.id,
                )
            )

    run = sky.carry_out(sky.plan(campaign_id, RunKind.FULL))

    assert run.state is RunState.REFUSED
    arms = {point.arm for point in sky.points(run.id)}
    assert arms == {Arm.RANDOM, Arm.ACTIVE_MATCHED}
