from threading import Barrier, Thread

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from al_service.rounds import leasing
from db.tables import Campaign, Candidate, Label, Lease, RankedObject
from db.vocabulary import CandidateState, LeaseState, Split
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
    make_pool(session, n_pool=6, n_evaluation=4)
    return make_campaign(session, evaluation_size=2)


def candidate(session: Session, campaign: Campaign, number: int) -> Candidate:
    return session.scalars(
        select(Candidate)
        .where(
            Candidate.campaign_id == campaign.id,
            Candidate.sky_object_id == id_of(session, campaign, object_name(number)),
            Candidate.slot == 0,
        )
        .execution_options(populate_existing=True)
    ).one()


def test_a_label_written_by_plain_sql_takes_its_object_out_of_the_queue(
    session: Session, campaign: Campaign
) -> None:
    rank_all(session, campaign, numbers=[2, 3])
    write_label(session, campaign, object_name(2))
    row = candidate(session, campaign, 2)
    assert row.state is CandidateState.LABELED
    ranked = session.scalars(select(RankedObject.sky_object_id)).all()
    assert ranked == [id_of(session, campaign, object_name(3))]
    assert row.labeler == "pipeline"
    handed_out = leasing.ask(session, campaign, labeler="ann", size=10)
    assert object_name(2) not in {item.object_id for item in handed_out.items}


def test_a_label_knows_the_split_of_its_object(
    session: Session, campaign: Campaign
) -> None:
    write_label(session, campaign, object_name(1))
    examined = session.scalars(
        select(Candidate).where(
            Candidate.campaign_id == campaign.id, Candidate.split == Split.EVALUATION
        )
    ).first()
    assert examined is not None
    session.add(
        Label(
            campaign_id=campaign.id,
            sky_object_id=examined.sky_object_id,
            values={"z": 0.2},
            labeler="ann",
        )
    )
    session.flush()
    splits = session.scalars(select(Label.split).order_by(Label.id)).all()
    assert splits == [Split.POOL, Split.EVALUATION]


def test_a_label_with_the_wrong_split_is_refused(
    session: Session, campaign: Campaign
) -> None:
    session.add(
        Label(
            campaign_id=campaign.id,
            sky_object_id=id_of(session, campaign, object_name(1)),
            split=Split.EVALUATION,
            values={"z": 0.2},
            labeler="ann",
        )
    )
    with pytest.raises(IntegrityError, match="sky_object"):
        session.flush()


def test_an_object_of_another_pool_cannot_be_labeled(
    session: Session, campaign: Campaign
) -> None:
    make_pool(session, name="other")
    elsewhere = make_campaign(session, name="elsewhere", pool="other")
    foreign = id_of(session, elsewhere, object_name(1))
    session.add(
        Label(
            campaign_id=campaign.id,
            sky_object_id=foreign,
            values={"z": 0.2},
            labeler="ann",
        )
    )
    with pytest.raises(IntegrityError, match="is in another pool"):
        session.flush()


def test_a_held_out_object_cannot_be_labeled(session: Session) -> None:
    make_pool(session, n_pool=2, n_evaluation=3, known_targets=["z"])
    campaign = make_campaign(session, evaluation_size=3)
    with pytest.raises(IntegrityError, match="held out"):
        write_label(session, campaign, object_name(3))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE label SET quality = 1",
        "DELETE FROM label",
        "TRUNCATE label CASCADE",
    ],
)
def test_labels_are_never_changed(
    session: Session, campaign: Campaign, statement: str
) -> None:
    write_label(session, campaign, object_name(1))
    with pytest.raises(IntegrityError, match="labels are never changed"):
        session.execute(text(statement))


def test_a_deleted_campaign_takes_its_labels_along(
    session: Session, campaign: Campaign
) -> None:
    leasing.ask(session, campaign, labeler="ann", size=2)
    write_label(session, campaign, object_name(1))
    session.execute(text("DELETE FROM campaign"))
    assert session.scalars(select(Label.id)).all() == []


def test_the_labelers_own_lease_is_answered_and_closed_with_its_last_object(
    session: Session, campaign: Campaign
) -> None:
    rank_all(session, campaign, numbers=range(6))
    batch = leasing.ask(session, campaign, labeler="ann", size=4)
    names = [item.object_id for item in batch.items]
    for name in names[:-1]:
        write_label(session, campaign, name, labeler="ann")
    shown = leasing.show(session, batch.id)
    assert shown.state is LeaseState.OPEN
    assert [item.held for item in shown.items] == [False, False, False, True]
    write_label(session, campaign, names[-1], labeler="ann")
    assert leasing.show(session, batch.id).state is LeaseState.LABELED


def test_a_label_by_somebody_else_ends_the_lease_on_its_object(
    session: Session, campaign: Campaign
) -> None:
    batch = leasing.ask(session, campaign, labeler="ann", size=1)
    write_label(session, campaign, batch.items[0].object_id, labeler="pipeline")
    assert leasing.show(session, batch.id).state is LeaseState.LABELED


def test_a_correction_is_about_the_same_object(
    session: Session, campaign: Campaign
) -> None:
    first = write_label(session, campaign, object_name(1))
    with pytest.raises(IntegrityError, match="supersedes_same_object"):
        write_label(session, campaign, object_name(2), supersedes_id=first)


def test_a_label_is_corrected_once(session: Session, campaign: Campaign) -> None:
    first = write_label(session, campaign, object_name(1))
    write_label(session, campaign, object_name(1), z=0.2, supersedes_id=first)
    with pytest.raises(IntegrityError, match="uq_label_supersedes_id"):
        write_label(session, campaign, object_name(1), z=0.3, supersedes_id=first)


def test_one_labeler_gives_one_opinion_on_one_object(
    session: Session, campaign: Campaign
) -> None:
    write_label(session, campaign, object_name(1))
    with pytest.raises(IntegrityError, match="uq_label_one_opinion"):
        write_label(session, campaign, object_name(1), z=0.3)


def test_two_labels_at_once_that_complete_a_lease_close_it(database: Database) -> None:
    """Each transaction alone would see the other's object as still unanswered."""
    with database.sessions.begin() as session:
        make_pool(session)
        campaign = make_campaign(session)
        batch = leasing.ask(session, campaign, labeler="ann", size=2)
    both_open = Barrier(2)

    def write(name: str) -> None:
        with database.sessions.begin() as session:
            session.execute(text("SELECT 1"))
            both_open.wait()
            write_label(session, campaign, name, labeler="ann")

    threads = [Thread(target=write, args=(i.object_id,)) for i in batch.items]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.sessions() as session:
        assert session.get_one(Lease, batch.id).state is LeaseState.LABELED
