from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from al_service.errors import Conflict, NotFound
from al_service.rounds import claiming
from al_service.rounds.claiming import BeatAnswer, Claim
from db.tables import Run
from db.vocabulary import RunKind, RunState
from tests.db.factories import claimed, make_campaign, make_pool

STALE_AFTER = timedelta(seconds=30)


@pytest.fixture
def run_id(session: Session) -> int:
    make_pool(session)
    make_campaign(session)
    return session.scalars(select(Run.id)).one()


def row(session: Session, run_id: int) -> Run:
    return session.get_one(Run, run_id, populate_existing=True)


def silence(session: Session, seconds: float) -> None:
    session.execute(
        update(Run).values(
            heartbeat_at=Run.heartbeat_at - timedelta(seconds=seconds),
            rung_at=Run.rung_at - timedelta(seconds=seconds),
        )
    )


def take(session: Session, run_id: int) -> Claim | None:
    return claiming.claim(session, run_id, worker="worker", stale_after=STALE_AFTER)


def test_the_first_heartbeat_is_part_of_the_claim(
    session: Session, run_id: int
) -> None:
    """Trap 5: a worker that dies at once would never be found."""
    claim = claimed(session, run_id)
    run = row(session, run_id)
    assert claim == Claim(run_id, 1, RunKind.SCORE, run.campaign_id)
    assert (run.state, run.worker, run.attempts) == (RunState.RUNNING, "worker", 1)
    assert run.heartbeat_at is not None
    assert datetime.now(UTC) - run.heartbeat_at < timedelta(minutes=1)
    silence(session, 31)
    assert [found.id for found in claiming.stale_runs(session, STALE_AFTER)] == [run_id]


def test_a_run_that_is_claimed_is_not_claimed_again(
    session: Session, run_id: int
) -> None:
    claimed(session, run_id)
    assert take(session, run_id) is None
    silence(session, 29)
    assert take(session, run_id) is None


def test_a_run_that_does_not_exist_is_not_claimed(session: Session) -> None:
    assert take(session, 4711) is None


def test_a_beat_keeps_a_run_and_its_progress_only_grows(
    session: Session, run_id: int
) -> None:
    claim = claimed(session, run_id)
    silence(session, 29)
    assert claiming.beat(session, claim, 0.5) is BeatAnswer.KEEP
    assert claiming.beat(session, claim, 0.4) is BeatAnswer.KEEP
    assert claiming.beat(session, claim) is BeatAnswer.KEEP
    assert row(session, run_id).progress == 0.5
    silence(session, 29)
    assert claiming.stale_runs(session, STALE_AFTER) == []


def test_a_worker_that_was_replaced_hears_it_and_publishes_nothing(
    session: Session, run_id: int
) -> None:
    slow = claimed(session, run_id)
    silence(session, 31)
    fast = claimed(session, run_id, "another")
    assert fast.fence > slow.fence
    assert claiming.beat(session, slow) is BeatAnswer.LOST
    assert not claiming.finish(session, slow, RunState.PUBLISHED)
    assert not claiming.put_back(session, slow)
    assert claiming.finish(session, fast, RunState.PUBLISHED, metrics={"z": 1})
    run = row(session, run_id)
    assert (run.state, run.progress, run.metrics) == (RunState.PUBLISHED, 1.0, {"z": 1})
    assert run.finished_at is not None
    assert not claiming.finish(session, fast, RunState.PUBLISHED)


def test_a_run_that_takes_too_long_is_told_so(session: Session, run_id: int) -> None:
    claim = claiming.claim(
        session,
        run_id,
        worker="worker",
        stale_after=STALE_AFTER,
        deadline=timedelta(seconds=0),
    )
    assert claim is not None
    assert claiming.beat(session, claim) is BeatAnswer.DEADLINE


def test_a_planned_run_is_canceled_at_once(session: Session, run_id: int) -> None:
    assert claiming.cancel(session, run_id) is RunState.CANCELED
    assert row(session, run_id).finished_at is not None
    assert take(session, run_id) is None


def test_a_running_run_hears_of_its_cancellation_with_the_next_beat(
    session: Session, run_id: int
) -> None:
    claim = claimed(session, run_id)
    assert claiming.cancel(session, run_id) is RunState.RUNNING
    assert claiming.beat(session, claim) is BeatAnswer.CANCELED
    assert not claiming.finish(session, claim, RunState.PUBLISHED)
    assert claiming.finish(session, claim, RunState.CANCELED, message="stopped")
    with pytest.raises(Conflict, match="is canceled"):
        claiming.cancel(session, run_id)


def test_a_run_that_does_not_exist_is_not_canceled(session: Session) -> None:
    with pytest.raises(NotFound, match="run"):
        claiming.cancel(session, 4711)


def test_a_canceled_run_whose_worker_is_lost_is_over(
    session: Session, run_id: int
) -> None:
    claimed(session, run_id)
    claiming.cancel(session, run_id)
    silence(session, 31)
    assert take(session, run_id) is None
    assert claiming.stale_runs(session, STALE_AFTER) == []
    assert row(session, run_id).state is RunState.CANCELED


def test_a_run_whose_worker_died_is_taken_up_again_however_late_that_is_noticed(
    session: Session, run_id: int
) -> None:
    """A night without a schedule: the deadline of a dead worker failed its run."""
    claimed(session, run_id)
    session.execute(update(Run).values(deadline_at=Run.started_at))
    silence(session, 24 * 3600)
    assert [run.id for run in claiming.stale_runs(session, STALE_AFTER)] == [run_id]
    claim = claimed(session, run_id)
    assert claiming.beat(session, claim) is BeatAnswer.KEEP, "it has its whole time"
    assert row(session, run_id).attempts == 2


def test_a_worker_that_lives_past_its_deadline_keeps_its_run_until_it_hears(
    session: Session, run_id: int
) -> None:
    claimed(session, run_id)
    session.execute(update(Run).values(deadline_at=Run.started_at))
    assert take(session, run_id) is None
    assert row(session, run_id).state is RunState.RUNNING


def test_a_run_that_was_interrupted_is_taken_up_again_until_its_attempts_are_used_up(
    session: Session, run_id: int
) -> None:
    for attempt in (1, 2):
        claim = claimed(session, run_id)
        assert claiming.try_again(session, claim)
        run = row(session, run_id)
        assert (run.state, run.attempts) == (RunState.PLANNED, attempt)
    assert not claiming.try_again(session, claimed(session, run_id))
    assert row(session, run_id).state is RunState.RUNNING


def test_a_canceled_run_that_was_interrupted_is_not_taken_up_again(
    session: Session, run_id: int
) -> None:
    claim = claimed(session, run_id)
    claiming.cancel(session, run_id)
    assert not claiming.try_again(session, claim)


def test_a_run_whose_workers_are_lost_too_often_has_failed(
    session: Session, run_id: int
) -> None:
    for attempt in (1, 2):
        claimed(session, run_id)
        assert row(session, run_id).attempts == attempt
        silence(session, 31)
    claimed(session, run_id)
    silence(session, 31)
    assert take(session, run_id) is None
    assert claiming.stale_runs(session, STALE_AFTER, max_attempts=3) == []
    run = row(session, run_id)
    assert run.state is RunState.FAILED
    assert "lost 3 times" in str(run.message)


def test_a_run_that_was_put_back_is_taken_up_at_once_and_counts_no_attempt(
    session: Session, run_id: int
) -> None:
    first = claimed(session, run_id)
    assert claiming.put_back(session, first)
    run = row(session, run_id)
    assert (run.state, run.attempts, run.worker) == (RunState.PLANNED, 0, None)
    second = claimed(session, run_id)
    assert second.fence > first.fence


def test_a_message_is_sent_again_only_after_a_while(
    session: Session, run_id: int
) -> None:
    assert claiming.stale_runs(session, STALE_AFTER) == []
    silence(session, 11)
    assert [run.id for run in claiming.stale_runs(session, STALE_AFTER)] == [run_id]
    assert claiming.stale_runs(session, STALE_AFTER) == []
