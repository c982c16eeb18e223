"""Locks with names: things that must take turns although no row stands for them."""

from enum import IntEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session


class Turn(IntEnum):
    """What takes turns; PostgreSQL keeps it with the number of the campaign."""

    # The label trigger names the first two by number as well.
    QUEUE = 1  # changing candidates (shared) against replacing the ranking (alone)
    OPINIONS = 2  # second opinions on one object
    ANSWER = 3  # two requests with one Idempotency-Key
    PUBLICATION = 4  # two runs of a campaign that end at the same time


def share_queue(session: Session, campaign_id: int) -> None:
    """Wait until no ranking is being replaced: before any candidate is changed.

    An ask skips locked rows; without this turn it would skip a whole queue whose
    ranks are being rewritten, and call the pool exhausted. And a publication, which
    changes rows in no order, could lock others out and be locked out by them.
    """
    session.execute(
        select(func.pg_advisory_xact_lock_shared(int(Turn.QUEUE), campaign_id))
    )


def hold_queue(session: Session, campaign_id: int) -> None:
    """Keep everybody else from changing candidates until this transaction ends."""
    session.execute(select(func.pg_advisory_xact_lock(int(Turn.QUEUE), campaign_id)))


def hold_publication(session: Session, campaign_id: int) -> None:
    """Publish alone, from before the first row lock.

    Its own turn, so that asks need not wait while predictions are written.
    """
    session.execute(
        select(func.pg_advisory_xact_lock(int(Turn.PUBLICATION), campaign_id))
    )


def hold_opinions(session: Session, campaign_id: int) -> None:
    """Take turns in a campaign that asks several labelers for one object.

    Places of one object depend on each other there: one at a time, at the speed of
    people, is simpler than locking siblings in order.
    """
    session.execute(select(func.pg_advisory_xact_lock(int(Turn.OPINIONS), campaign_id)))


def hold_answer(session: Session, *names: str) -> None:
    """Take turns with every other request of the same names."""
    name = "\n".join((str(int(Turn.ANSWER)), *names))
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
