"""Locks with names: things that must take turns although no row stands for them."""

from enum import IntEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session


class Turn(IntEnum):
    """What takes turns; PostgreSQL keeps it with a campaign's or pool's number."""

    OPINIONS = 2  # second opinions on one object; the label trigger says 2 as well
    PUBLICATION = 4  # two runs of a campaign that end at the same time
    SCAN = 5  # two scans of a pool that end at the same time


def hold_publication(session: Session, campaign_id: int) -> None:
    """Publish alone, from before the first row lock; asks never wait for it."""
    session.execute(
        select(func.pg_advisory_xact_lock(int(Turn.PUBLICATION), campaign_id))
    )


def hold_scan(session: Session, pool_id: int) -> None:
    """Publish the scan of a pool alone; its row stays free for heartbeats."""
    session.execute(select(func.pg_advisory_xact_lock(int(Turn.SCAN), pool_id)))


def hold_opinions(session: Session, campaign_id: int) -> None:
    """Take turns in a campaign that asks several labelers for one object.

    Places of one object depend on each other there: one at a time, at the speed of
    people, is simpler than locking siblings in order.
    """
    session.execute(select(func.pg_advisory_xact_lock(int(Turn.OPINIONS), campaign_id)))
