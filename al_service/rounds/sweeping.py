"""The sweep: everything that time brings, and everything that a message has missed."""

import logging
from collections.abc import Sequence

from sqlalchemy.orm import Session, sessionmaker

from al_service.rounds import (
    claiming,
    idempotency,
    leasing,
    planning,
    readiness,
    scan_claims,
)
from al_service.rounds.doorbell import Doorbell
from al_service.rounds.planning import PlannedRun
from al_service.settings import Settings
from db.repositories import campaigns

logger = logging.getLogger(__name__)


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
    with sessions.begin() as session:
        active = campaigns.active_ids(session)
    plan_due(active, sessions=sessions, doorbell=doorbell)
    with sessions.begin() as session:
        waiting = claiming.stale_runs(
            session, settings.stale_after, settings.max_attempts
        )
    _ring(doorbell, waiting)
    with sessions.begin() as session:
        unscanned = scan_claims.due(session, settings)
    for pool_id in unscanned:
        doorbell.scan(pool_id)


def plan_due(
    campaign_ids: Sequence[int],
    *,
    sessions: sessionmaker[Session],
    doorbell: Doorbell,
) -> None:
    """Plan the runs of campaigns that are due, and ring for them.

    Each campaign in a transaction of its own: one whose settings cannot be read, or
    whatever else is wrong with it, keeps no other from learning.
    """
    for campaign_id in campaign_ids:
        try:
            with sessions.begin() as session:
                planned = planning.plan_due(session, campaign_id)
        except Exception:
            logger.exception("campaign %d: nothing can be planned", campaign_id)
        else:
            _ring(doorbell, planned)


def _ring(doorbell: Doorbell, runs: list[PlannedRun]) -> None:
    for run in runs:
        doorbell.run(run.id, run.kind)
