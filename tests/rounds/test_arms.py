import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from al_service.rounds.arms import FEWEST_OF_AN_ARM, ArmFacts, choose_arms
from al_service.rounds.planning import plan
from db.repositories import training
from db.tables import Candidate, SkyObject
from db.vocabulary import RunKind, Split
from tests.db.factories import make_campaign, make_pool, write_label


def test_the_arms_are_the_initial_set_and_equally_many_others() -> None:
    count = 40
    places = np.arange(count)
    initial = places < 8
    random_keys = np.random.default_rng(3).permutation(count).astype(np.int64)
    by_strategy = places % 2 == 0
    first_label_ids = places[::-1].astype(np.int64)

    arms = choose_arms(
        ArmFacts(
            initial=initial,
            random_keys=random_keys,
            last_key=25,
            by_strategy=by_strategy,
            n_initial=8,
        ),
        first_unanswered=None,
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
        ArmFacts(
            initial=np.zeros(12, dtype=np.bool_),
            random_keys=np.arange(12),
            last_key=11,
            by_strategy=np.ones(12, dtype=np.bool_),
            n_initial=0,
        ),
        first_unanswered=None,
        first_label_ids=np.arange(12),
    )

    assert arms is not None
    assert arms.random.tolist() == arms.active.tolist() == list(range(12))


def test_the_random_arm_ends_at_the_first_key_without_an_answer() -> None:
    """Beyond it only those are labeled that the strategy took: no random sample."""
    arms = choose_arms(
        ArmFacts(
            initial=np.zeros(40, dtype=np.bool_),
            random_keys=np.arange(40) + (np.arange(40) >= 15),
            last_key=35,
            by_strategy=np.ones(40, dtype=np.bool_),
            n_initial=0,
        ),
        first_unanswered=15,
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
        ArmFacts(
            initial=np.zeros(30, dtype=np.bool_),
            random_keys=np.arange(30),
            last_key=FEWEST_OF_AN_ARM - 2,
            by_strategy=np.ones(30, dtype=np.bool_),
            n_initial=0,
        ),
        first_unanswered=None,
        first_label_ids=np.arange(30),
    )

    assert arms is None
