from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import select
from sqlalchemy.orm import Session

from al_service.rounds import leasing
from al_service.rounds.labeling import NewLabel, tell
from db.repositories import campaigns, locks, rankings
from db.repositories.predictions import NewPrediction, replace_predictions
from db.tables import Campaign, Candidate, Prediction, RankedObject, Run, SkyObject
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


def ranks(session: Session) -> dict[int, int]:
    """Row and rank of what a served run ranks and can be asked for."""
    rows = session.execute(
        select(SkyObject.row, RankedObject.rank)
        .join(RankedObject, RankedObject.sky_object_id == SkyObject.id)
        .join(Campaign, Campaign.served_run_id == RankedObject.run_id)
        .join(
            Candidate,
            (Candidate.campaign_id == Campaign.id)
            & (Candidate.sky_object_id == SkyObject.id),
        )
        .where(Candidate.state == CandidateState.FREE)
    )
    return {row: rank for row, rank in rows}  # noqa: C416 # rows are no pairs to mypy


def test_a_new_ranking_takes_the_place_of_the_old_one(session: Session) -> None:
    make_pool(session)
    campaign = make_campaign(session)
    rank_all(session, campaign, numbers=[1, 2, 3])
    rank_all(session, campaign, numbers=[3, 4])
    assert ranks(session) == {3: 0, 4: 1}


def test_another_campaign_keeps_its_ranking(session: Session) -> None:
    make_pool(session)
    campaign = make_campaign(session)
    other = make_campaign(session, name="other")
    rank_all(session, other, numbers=[7])
    rank_all(session, campaign, numbers=[1])
    rank_all(session, campaign, numbers=[])
    assert ranks(session) == {7: 0}


def test_what_was_leased_or_labeled_since_it_was_computed_is_stepped_over(
    session: Session,
) -> None:
    make_pool(session)
    campaign = make_campaign(session)
    rank_all(session, campaign, numbers=[1, 2])
    leasing.ask(session, campaign, labeler="ann", size=1)
    write_label(session, campaign, object_name(5))
    rank_all(session, campaign, numbers=[1, 5, 6])
    assert ranks(session) == {6: 2}
    item = leasing.ask(session, campaign, labeler="bob", size=1).items[0]
    assert (item.object_id, item.rank) == (object_name(6), 2)


def test_what_is_handed_out_leaves_the_order_and_comes_back_to_its_place(
    session: Session,
) -> None:
    make_pool(session)
    campaign = make_campaign(session)
    rank_all(session, campaign, numbers=[4, 3, 2])
    batch = leasing.ask(session, campaign, labeler="ann", size=2)
    assert ranks(session) == {2: 2}
    leasing.release(session, batch.id)
    assert ranks(session) == {4: 0, 3: 1, 2: 2}


def test_what_comes_back_after_a_newer_order_has_no_place_in_it(
    session: Session,
) -> None:
    make_pool(session)
    campaign = make_campaign(session)
    rank_all(session, campaign, numbers=[4, 3])
    batch = leasing.ask(session, campaign, labeler="ann", size=1)
    rank_all(session, campaign, numbers=[2])
    leasing.release(session, batch.id)
    assert ranks(session) == {2: 0}


def test_older_orders_are_forgotten_but_not_those_that_are_kept(
    session: Session,
) -> None:
    make_pool(session)
    campaign, other = make_campaign(session), make_campaign(session, name="other")
    elsewhere = rank_all(session, other, numbers=[1])
    _, before, now = (rank_all(session, campaign, numbers=[n]) for n in range(3))
    rankings.forget_rankings(session, campaign.id, kept=[before, now])
    kept = session.scalars(select(RankedObject.run_id)).all()
    assert set(kept) == {elsewhere, before, now}


def test_predictions_are_replaced_as_a_whole(session: Session) -> None:
    make_pool(session)
    campaign = make_campaign(session)
    run_id = session.scalars(select(Run.id)).one()
    for number in (1, 2):
        replace_predictions(
            session,
            campaign.id,
            run_id=run_id,
            predictions=[
                NewPrediction(
                    id_of(session, campaign, object_name(number)), 1.5, '{"z": {}}'
                )
            ],
        )
    stored = session.scalars(select(Prediction)).one()
    assert stored.sky_object_id == id_of(session, campaign, object_name(2))


def test_publishing_while_others_ask_and_tell_blocks_nobody_for_good(
    database: Database,
) -> None:
    """Row locks are taken in one order: a deadlock would end one of these."""
    with database.sessions.begin() as session:
        make_pool(session, n_pool=400)
        campaign = make_campaign(session, random_share=0.2)
        rank_all(session, campaign, numbers=range(400))

    def publish(_: int) -> None:
        for turn in range(8):
            order = range(400) if turn % 2 else range(399, -1, -1)
            with database.sessions.begin() as session:
                locks.hold_publication(session, campaign.id)
                before = campaigns.served_run_id(session, campaign.id) or 0
                run_id = rank_all(session, campaign, numbers=order)
                rankings.forget_rankings(session, campaign.id, kept=[before, run_id])

    def observe(number: int) -> None:
        for _ in range(8):
            with database.sessions.begin() as session:
                batch = leasing.ask(session, campaign, labeler=f"{number}", size=5)
            assert not batch.exhausted
            labels = [NewLabel(item.object_id, {"z": 0.1}) for item in batch.items]
            with database.sessions.begin() as session:
                tell(
                    session,
                    campaign,
                    labeler=f"{number}",
                    batch_id=batch.id,
                    labels=labels[::-1],
                )

    with ThreadPoolExecutor(6) as pool:
        work = [pool.submit(publish, 0), pool.submit(publish, 1)]
        work += [pool.submit(observe, number) for number in range(4)]
        for done in work:
            done.result()
    with database.sessions() as session:
        assert len(ranks(session)) == 400 - 4 * 8 * 5, "every other place still serves"
