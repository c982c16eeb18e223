"""Leases: what was handed out to whom, why, and until when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    and_,
    func,
    select,
    update,
)
from sqlalchemy.orm import Session

from db.repositories.driver import fetch_one
from db.repositories.queue import StoredItem
from db.tables import Candidate, Lease, LeaseItem, SkyObject
from db.vocabulary import CandidateState, LeaseState

_OPEN = """
INSERT INTO lease
    (campaign_id, labeler, state, run_id, exhausted, opened_at, expires_at)
SELECT id, %(labeler)s, 'open', served_run_id, false, moment, moment + %(duration)s
FROM campaign CROSS JOIN clock_timestamp() AS moment
WHERE id = %(campaign_id)s AND state = 'active'
RETURNING id, opened_at, expires_at, run_id,
    coalesce((SELECT ranked_by FROM run WHERE run.id = lease.run_id), '')
"""


@dataclass(frozen=True)
class Opened:
    """A lease that has just begun."""

    id: int
    opened_at: datetime
    expires_at: datetime
    run_id: int | None
    """The run that serves the campaign at this moment: its order is walked."""
    ranked_by: str
    """Why that run's objects are asked for; nothing where there is no run."""


@dataclass(frozen=True)
class Holding:
    """An object in somebody's hands."""

    sky_object_id: int
    lease_id: int
    labeler: str
    expired: bool
    """Whether the lease's time is over; the sweep may not have closed it yet."""


def open_lease(
    session: Session,
    campaign_id: int,
    *,
    labeler: str,
    duration: timedelta,
) -> Opened | None:
    """A new lease without objects; None where the campaign is not active."""
    facts = {"campaign_id": campaign_id, "labeler": labeler, "duration": duration}
    row = fetch_one(session, _OPEN, facts)
    return None if row is None else Opened(*row)


def find(session: Session, lease_id: int) -> Lease | None:
    """The lease of an id, as it stands now."""
    return session.get(Lease, lease_id, populate_existing=True)


def items_of(session: Session, lease_id: int) -> list[StoredItem]:
    """What a lease has handed out, in its order."""
    rows = session.execute(
        select(
            SkyObject.object_id,
            SkyObject.ra,
            SkyObject.dec,
            LeaseItem.rank,
            LeaseItem.reason,
            LeaseItem.score,
            LeaseItem.prediction,
            Candidate.lease_id.is_not_distinct_from(LeaseItem.lease_id),
        )
        .join(Candidate, Candidate.id == LeaseItem.candidate_id)
        .join(SkyObject, SkyObject.id == Candidate.sky_object_id)
        .where(LeaseItem.lease_id == lease_id)
        .order_by(LeaseItem.position)
    )
    return [StoredItem(*row) for row in rows]


def mark_exhausted(session: Session, lease_id: int) -> None:
    """Note that nothing was left for the rest of this batch."""
    session.execute(update(Lease).where(Lease.id == lease_id).values(exhausted=True))


def extend(session: Session, lease_id: int, duration: timedelta) -> bool:
    """Give a lease time from now on; False where its time is over or it is closed."""
    extended = session.scalar(
        update(Lease)
        .where(
            Lease.id == lease_id,
            Lease.state == LeaseState.OPEN,
            Lease.expires_at > func.clock_timestamp(),
        )
        .values(expires_at=func.clock_timestamp() + duration)
        .returning(Lease.id)
    )
    return extended is not None


def close(session: Session, lease_id: int, state: LeaseState) -> bool:
    """Close an open lease; False where it was not open any more."""
    closed = session.scalar(
        update(Lease)
        .where(Lease.id == lease_id, Lease.state == LeaseState.OPEN)
        .values(state=state, closed_at=func.clock_timestamp())
        .returning(Lease.id)
    )
    return closed is not None


def find_expired(
    session: Session, *, campaign_id: int | None, limit: int
) -> dict[int, list[int]]:
    """Open leases whose time is over (`ix_lease_open_by_expiry`).

    Returns:
        Campaign to its leases, both ascending.
    """
    due = select(Lease.campaign_id, Lease.id).where(_expired())
    if campaign_id is not None:
        due = due.where(Lease.campaign_id == campaign_id)
    leases: dict[int, list[int]] = {}
    for campaign, lease in session.execute(
        due.order_by(Lease.campaign_id, Lease.id).limit(limit)
    ):
        leases.setdefault(campaign, []).append(lease)
    return leases


def lock_expired(session: Session, lease_ids: Sequence[int]) -> list[int]:
    """Lock those leases whose time is still over, in the order of their ids.

    Leases that somebody else is closing or answering are left out.
    """
    return list(
        session.scalars(
            select(Lease.id)
            .where(Lease.id.in_(lease_ids), _expired())
            .order_by(Lease.id)
            .with_for_update(skip_locked=True)
        )
    )


def lock_holders(
    session: Session, campaign_id: int, sky_object_ids: Sequence[int]
) -> list[Holding]:
    """Lock the leases that hold some objects, in the order of their ids.

    An object can change hands while a lock is waited for: whoever holds it by then is
    locked as well, until every holder that is found is one that is locked.

    Returns:
        Who holds which object now, by any lease, expired by the clock or not.
    """
    locked: set[int] = set()
    while True:
        holdings = _holdings(session, campaign_id, sky_object_ids)
        holders = {holding.lease_id for holding in holdings}
        if holders <= locked:
            return holdings
        session.execute(
            select(Lease.id)
            .where(Lease.id.in_(holders))
            .order_by(Lease.id)
            .with_for_update()
        )
        locked |= holders


def _holdings(
    session: Session, campaign_id: int, sky_object_ids: Sequence[int]
) -> list[Holding]:
    rows = session.execute(
        select(
            Candidate.sky_object_id,
            Lease.id,
            Lease.labeler,
            Lease.expires_at <= func.clock_timestamp(),
        )
        .join(Lease, Lease.id == Candidate.lease_id)
        .where(
            Candidate.campaign_id == campaign_id,
            Candidate.sky_object_id.in_(sky_object_ids),
            Candidate.state == CandidateState.LEASED,
        )
        .order_by(Candidate.id)
    )
    return [Holding(*row) for row in rows]


def objects_of(session: Session, lease_id: int) -> set[int]:
    """Every object that a lease has ever handed out."""
    return set(
        session.scalars(
            select(Candidate.sky_object_id)
            .join(LeaseItem, LeaseItem.candidate_id == Candidate.id)
            .where(LeaseItem.lease_id == lease_id)
        )
    )


def count_open(session: Session, campaign_id: int) -> int:
    """How many batches of a campaign are being worked on."""
    return (
        session.scalar(
            select(func.count()).where(
                Lease.campaign_id == campaign_id, Lease.state == LeaseState.OPEN
            )
        )
        or 0
    )


def _expired() -> ColumnElement[bool]:
    return and_(
        Lease.state == LeaseState.OPEN, Lease.expires_at <= func.clock_timestamp()
    )
