"""Planning and claiming by several connections at once."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

from sqlalchemy import select, text, update

from al_service.rounds import claiming
from al_service.rounds.claiming import BeatAnswer, Claim
from al_service.rounds.planning import plan_due
from db.repositories import runs
from db.repositories.runs import NewRun
from db.tables import Run, TrainingLabel
from db.vocabulary import RunKind, RunState
from tests.conftest import Database
from tests.db.factories import (
    label_many,
    make_campaign,
    make_pool,
    object_name,
    publish_run,
    write_label,
)

STALE_AFTER = timedelta(seconds=30)
POLICY = {
    "full": {"labels": 1, "seconds": 3600},
    "head": {"labels": 99, "seconds": 3600},
    "min_labels": 1,
}


def test_planning_twice_plans_once(database: Database) -> None:
    """`INSERT … ON CONFLICT DO NOTHING RETURNING id` answers an id, then nothing."""
    with database.sessions.begin() as session:
        make_pool(session)
        campaign = make_campaign(session)
        new = NewRun(campaign.id, RunKind.FULL, 0, "digest", None, "config", 0, None)
        assert runs.insert_planned(session, new) is not None
        assert runs.insert_planned(session, new) is None


def test_six_planners_at_once_plan_one_run(database: Database) -> None:
    with database.sessions.begin() as session:
        make_pool(session)
        campaign = make_campaign(session, retrain=POLICY)
        label_many(session, campaign, range(20))
    together = Barrier(6)

    def look(_: int) -> int:
        with database.sessions.begin() as session:
            together.wait()
            return len(plan_due(session, campaign.id))

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(look, range(6))) == 1
    with database.sessions() as session:
        run = session.scalars(select(Run).where(Run.kind == RunKind.FULL)).one()
        frozen = session.scalars(select(TrainingLabel.run_id)).all()
        assert frozen == [run.id] * 20


def test_a_label_whose_transaction_ends_late_is_not_overlooked(
    database: Database,
) -> None:
    """Trap 2: its number is smaller than one that a run has already seen."""
    with database.sessions.begin() as session:
        make_pool(session)
        campaign = make_campaign(session, retrain=POLICY)
    with database.sessions() as slow:
        early = write_label(slow, campaign, object_name(1))
        with database.sessions.begin() as session:
            late = write_label(session, campaign, object_name(2))
            assert early < late
            (first,) = plan_due(session, campaign.id)
            publish_run(session, campaign, first.id)
            assert plan_due(session, campaign.id) == []
        slow.commit()
    with database.sessions.begin() as session:
        (second,) = plan_due(session, campaign.id)
        known = session.scalars(
            select(TrainingLabel.label_id).where(TrainingLabel.run_id == second.id)
        )
        assert set(known) == {early, late}


def test_six_threads_claiming_one_run_make_one_claim(database: Database) -> None:
    with database.sessions.begin() as session:
        make_pool(session)
        make_campaign(session)
        run_id = session.scalars(select(Run.id)).one()

    def all_claim() -> list[Claim | None]:
        together = Barrier(6)

        def take(number: int) -> Claim | None:
            with database.sessions.begin() as session:
                together.wait()
                return claiming.claim(
                    session, run_id, worker=f"{number}", stale_after=STALE_AFTER
                )

        with ThreadPoolExecutor(6) as pool:
            return list(pool.map(take, range(6)))

    (first,) = filter(None, all_claim())
    assert Counter(all_claim()) == {None: 6}
    with database.sessions.begin() as session:
        session.execute(
            update(Run).values(heartbeat_at=Run.heartbeat_at - timedelta(seconds=31))
        )
    (second,) = filter(None, all_claim())
    assert second.fence == first.fence + 1
    with database.sessions.begin() as session:
        assert claiming.beat(session, first) is BeatAnswer.LOST
        assert not claiming.finish(session, first, RunState.PUBLISHED)
        assert claiming.beat(session, second) is BeatAnswer.KEEP
        assert claiming.finish(session, second, RunState.PUBLISHED)


def test_a_lost_message_is_sent_again_by_one_of_two_sweeps(database: Database) -> None:
    with database.sessions.begin() as session:
        make_pool(session)
        make_campaign(session)
        session.execute(text("UPDATE run SET rung_at = rung_at - interval '1 hour'"))
    together = Barrier(2)

    def sweep(_: int) -> int:
        with database.sessions.begin() as session:
            together.wait()
            return len(claiming.stale_runs(session, STALE_AFTER))

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(sweep, range(2))) == [0, 1]
