"""Campaigns that ask several labelers about one object."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from al_service.rounds import leasing
from al_service.rounds.labeling import NewLabel, current_labels, tell
from db.tables import Campaign, Candidate, Lease
from db.vocabulary import CandidateState
from tests.conftest import Database
from tests.db.factories import (
    id_of,
    make_campaign,
    make_pool,
    object_name,
    rank_all,
    write_label,
)


@pytest.fixture
def campaign(session: Session) -> Campaign:
    make_pool(session, n_pool=12, n_evaluation=0)
    campaign = make_campaign(session, overlap=2)
    rank_all(session, campaign, numbers=range(12))
    return campaign


def ask(session: Session, campaign: Campaign, labeler: str, size: int) -> leasing.Batch:
    return leasing.ask(session, campaign, labeler=labeler, size=size)


def handed(batch: leasing.Batch) -> list[tuple[str, str]]:
    return [(item.object_id[-2:], item.reason) for item in batch.items]


def let_expire(session: Session, batch: leasing.Batch) -> None:
    long_ago = Lease.opened_at - timedelta(days=2)
    session.execute(
        update(Lease)
        .where(Lease.id == batch.id)
        .values(opened_at=long_ago, expires_at=long_ago + timedelta(days=1))
    )
    assert leasing.expire(session) == 1


def test_a_second_labeler_is_asked_about_the_same_objects(
    session: Session, campaign: Campaign
) -> None:
    first = ask(session, campaign, "ann", 2)
    second = ask(session, campaign, "bob", 3)
    assert handed(first) == [("00", "lcmd"), ("01", "lcmd")]
    assert sorted(handed(second)) == [
        ("00", "overlap"),
        ("01", "overlap"),
        ("02", "lcmd"),
    ]


def test_nobody_is_asked_about_one_object_twice(
    session: Session, campaign: Campaign
) -> None:
    seen: list[str] = []
    while not (batch := ask(session, campaign, "ann", 5)).exhausted:
        seen += [item.object_id for item in batch.items]
    seen += [item.object_id for item in batch.items]
    assert len(seen) == len(set(seen)) == 12
    for name in seen:
        write_label(session, campaign, name, labeler="ann")
    assert ask(session, campaign, "ann", 5).items == ()
    assert len(ask(session, campaign, "bob", 99).items) == 12


def test_as_many_opinions_as_the_overlap_says_and_no_more(
    session: Session, campaign: Campaign
) -> None:
    for labeler in ("ann", "bob"):
        assert len(ask(session, campaign, labeler, 99).items) == 12
    assert ask(session, campaign, "eve", 99).items == ()


def test_a_second_opinion_stays_wanted_when_a_new_ranking_leaves_the_object_out(
    session: Session, campaign: Campaign
) -> None:
    first = ask(session, campaign, "ann", 1)
    tell(
        session,
        campaign,
        labeler="ann",
        batch_id=first.id,
        labels=[NewLabel(first.items[0].object_id, {"z": 0.1})],
    )
    rank_all(session, campaign, numbers=range(5, 12))
    assert handed(ask(session, campaign, "bob", 2)) == [
        ("00", "overlap"),
        ("05", "lcmd"),
    ]


def test_a_ranking_ranks_objects_and_not_their_second_places(
    session: Session, campaign: Campaign
) -> None:
    ask(session, campaign, "ann", 1)
    rank_all(session, campaign, numbers=[0])
    assert handed(ask(session, campaign, "bob", 1)) == [("00", "overlap")]


def test_the_first_opinion_that_was_given_back_is_asked_for_again(
    session: Session, campaign: Campaign
) -> None:
    first = ask(session, campaign, "ann", 1)
    second = ask(session, campaign, "bob", 1)
    assert first.items[0].object_id == second.items[0].object_id
    let_expire(session, first)
    assert handed(ask(session, campaign, "eve", 2)) == [
        ("00", "overlap"),
        ("01", "lcmd"),
    ]


def test_an_object_that_everybody_gave_back_is_new_again(
    session: Session, campaign: Campaign
) -> None:
    batches = [ask(session, campaign, labeler, 1) for labeler in ("ann", "bob")]
    for batch in batches:
        let_expire(session, batch)
    rank_all(session, campaign, numbers=range(12))
    assert handed(ask(session, campaign, "ann", 2)) == [("00", "lcmd"), ("01", "lcmd")]
    assert sorted(handed(ask(session, campaign, "bob", 2))) == [
        ("00", "overlap"),
        ("01", "overlap"),
    ]
    assert (
        session.scalar(
            select(func.count()).where(
                Candidate.sky_object_id == id_of(session, campaign, object_name(0))
            )
        )
        == 2
    )


def test_two_opinions_by_plain_sql_take_both_places(
    session: Session, campaign: Campaign
) -> None:
    write_label(session, campaign, object_name(3), labeler="one")
    write_label(session, campaign, object_name(3), labeler="two")
    write_label(session, campaign, object_name(3), labeler="three")
    states = session.scalars(
        select(Candidate.state).where(
            Candidate.sky_object_id == id_of(session, campaign, object_name(3))
        )
    ).all()
    assert states == [CandidateState.LABELED] * 2
    assert len(current_labels(session, campaign.id)) == 3


def test_two_labelers_on_many_connections_get_every_object_once_each(
    database: Database,
) -> None:
    with database.sessions.begin() as session:
        make_pool(session, n_pool=60, n_evaluation=0)
        campaign = make_campaign(session, overlap=2, random_share=0.3)
        rank_all(session, campaign, numbers=range(60))

    def work(number: int) -> list[tuple[str, str]]:
        labeler = f"labeler {number % 3}"
        got = []
        for turn in range(8):
            with database.sessions.begin() as session:
                batch = leasing.ask(session, campaign, labeler=labeler, size=3)
            got += [(labeler, item.object_id) for item in batch.items]
            if turn % 3 == 0:
                with database.sessions.begin() as session:
                    leasing.release(session, batch.id)
                got = got[: len(got) - len(batch.items)]
            else:
                with database.sessions.begin() as session:
                    tell(
                        session,
                        campaign,
                        labeler=labeler,
                        batch_id=batch.id,
                        labels=[
                            NewLabel(item.object_id, {"z": 0.1}) for item in batch.items
                        ],
                    )
        return got

    with ThreadPoolExecutor(6) as pool:
        told = [pair for pairs in pool.map(work, range(6)) for pair in pairs]
    assert len(told) == len(set(told))
    with database.sessions() as session:
        places = session.scalars(
            select(func.count(Candidate.id)).group_by(Candidate.sky_object_id)
        ).all()
        assert max(places) == 2
        counted = session.scalar(
            select(func.count()).where(Candidate.state == CandidateState.LABELED)
        )
        assert counted == len(told)


@pytest.mark.parametrize("order", [("ann", "bob"), ("bob", "ann")])
def test_an_object_that_everybody_gave_back_has_its_place_again(
    session: Session, campaign: Campaign, order: tuple[str, str]
) -> None:
    rank_all(session, campaign, numbers=[3, 4])
    batches = {name: ask(session, campaign, name, 1) for name in ("ann", "bob")}
    for name in order:
        leasing.release(session, batches[name].id)
    assert handed(ask(session, campaign, "cid", 2)) == [("03", "lcmd"), ("04", "lcmd")]
