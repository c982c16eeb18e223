"""The sweep: everything that time brings, and everything that a message has missed."""

from sqlalchemy.orm import Session, sessionmaker

from al_service.rounds import claiming, idempotency, leasing, planning, readiness
from al_service.rounds.doorbell import Doorbell
from al_service.rounds.planning import PlannedRun
from al_service.settings import Settings


def sweep(
    *, sessions: sessionmaker[Session], doorbell: Doorbell, settings: Settings
) -> None:
    """Close expired leases, forget what is old, plan what is due, ring for the rest.

    Each step is a transaction of its own, and all of them may run twice at once.

    Args:
        sessions: makes the transactions.
        doorbell: rung after the commits.
        settings: when a worker counts as lost, how often a run is taken up.
    """
    with sessions.begin() as session:
        leasing.expire(session)
    with sessions.begin() as session:
        idempotency.forget_old(session)
    with sessions.begin() as session:
        readiness.forget_workers(session)
    plan_due(sessions=sessions, doorbell=doorbell)
    with sessions.begin() as session:
        waiting = claiming.stale_runs(
            session, settings.stale_after, settings.max_attempts
        )
    _ring(doorbell, waiting)


def plan_due(
    *,
    sessions: sessionmaker[Session],
    doorbell: Doorbell,
    campaign_id: int | None = None,
) -> None:
    """Plan the runs that are due, of one campaign or of all, and ring for them."""
    with sessions.begin() as session:
        planned = planning.plan_due(session, campaign_id)
    _ring(doorbell, planned)


def _ring(doorbell: Doorbell, runs: list[PlannedRun]) -> None:
    for run in runs:
        doorbell.run(run.id, run.kind)
