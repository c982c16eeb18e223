"""The random sample stays uniform whatever the strategy takes."""

import math

from sqlalchemy import select
from sqlalchemy.orm import Session

from al_service.rounds import leasing
from db.repositories import training
from db.tables import Candidate, SkyObject
from tests.db.factories import label_many, make_campaign, make_pool, rank_all

N_POOL, RARE_SHARE, ROUNDS, BATCH = 4000, 0.05, 30, 40


def is_rare(number: int) -> bool:
    """A class of five per cent, which the strategy loves."""
    return number % 20 == 0


def test_a_class_of_five_per_cent_is_five_per_cent_of_the_random_sample(
    session: Session,
) -> None:
    """Walking only what the strategy leaves would shrink it to 1.4 %."""
    make_pool(session, n_pool=N_POOL, n_evaluation=0)
    campaign = make_campaign(session, random_share=0.25, seed=5)
    rare_first = sorted(range(N_POOL), key=lambda number: (not is_rare(number), number))
    rank_all(session, campaign, numbers=rare_first)
    taken_by_strategy = 0
    for turn in range(ROUNDS):
        batch = leasing.ask(session, campaign, labeler="ann", size=BATCH)
        taken_by_strategy += sum(item.reason == "lcmd" for item in batch.items)
        if turn % 5 == 4:
            leasing.release(session, batch.id)  # some come back and are asked again
        else:
            numbers = [number_of(item.object_id) for item in batch.items]
            label_many(session, campaign, numbers)
    end = training.largest_random_key(session, campaign.id)
    sample = session.scalars(
        select(SkyObject.row)
        .join(Candidate, Candidate.sky_object_id == SkyObject.id)
        .where(Candidate.random_key <= end)
    ).all()
    n, rare = len(sample), sum(is_rare(row) for row in sample)
    assert taken_by_strategy > N_POOL * RARE_SHARE  # it took all of the class
    assert n > 250
    spread = math.sqrt(n * RARE_SHARE * (1 - RARE_SHARE))
    assert abs(rare - n * RARE_SHARE) < 2.58 * spread  # 99 %


def test_the_random_sample_is_that_of_the_seed_and_not_of_the_strategy(
    session: Session,
) -> None:
    make_pool(session, n_pool=200, n_evaluation=0)
    drawn = []
    for name, order in (("one", range(200)), ("other", range(199, -1, -1))):
        campaign = make_campaign(session, name=name, random_share=1.0, seed=9)
        rank_all(session, campaign, numbers=order)
        batch = leasing.ask(session, campaign, labeler="ann", size=50)
        drawn.append([item.object_id for item in batch.items])
    assert drawn[0] == drawn[1]
    assert len(set(drawn[0])) == 50


def test_an_object_that_came_back_is_the_next_one_of_the_random_sample(
    session: Session,
) -> None:
    make_pool(session, n_pool=50, n_evaluation=0)
    campaign = make_campaign(session, random_share=1.0)
    first = leasing.ask(session, campaign, labeler="ann", size=5)
    leasing.ask(session, campaign, labeler="bob", size=5)
    leasing.release(session, first.id)
    again = leasing.ask(session, campaign, labeler="eve", size=5)
    assert [i.object_id for i in again.items] == [i.object_id for i in first.items]


def number_of(object_id: str) -> int:
    return int(object_id.removeprefix("SDSS J"))
