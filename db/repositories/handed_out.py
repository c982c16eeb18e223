"""What was handed out of the pool, what the model said of it, and what came back."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, true
from sqlalchemy.orm import Session

from db.base import JsonObject
from db.repositories.training import TRAINABLE_QUALITY, is_current
from db.tables import Candidate, Label, Lease, LeaseItem, Run
from db.vocabulary import Split


@dataclass(frozen=True)
class HandedOut:
    """One object of one lease."""

    lease_id: int
    position: int
    run_id: int
    """The run whose order was walked."""
    candidate_id: int
    reason: str
    prediction: JsonObject | None
    """What the model said when the object was handed out."""
    values: JsonObject | None
    """The first current, confident label of the object; None without one."""


def latest(session: Session, campaign_id: int, *, limit: int) -> list[HandedOut]:
    """Objects of the pool as they were handed out lately, the newest first.

    Read backwards along `ix_lease_campaign_id` and the primary key of `lease_item`;
    labels are found by `ix_label_object`.

    Args:
        session: reads in its transaction.
        campaign_id: whose.
        limit: how many at most.
    """
    answer = (
        select(Label.values)
        .where(
            Label.campaign_id == campaign_id,
            Label.sky_object_id == Candidate.sky_object_id,
            Label.quality >= TRAINABLE_QUALITY,
            is_current(),
        )
        .order_by(Label.id)
        .limit(1)
        .lateral()
    )
    rows = session.execute(
        select(
            Lease.id,
            LeaseItem.position,
            Lease.run_id,
            LeaseItem.candidate_id,
            LeaseItem.reason,
            LeaseItem.prediction,
            answer.c["values"],
        )
        .join(LeaseItem, LeaseItem.lease_id == Lease.id)
        .join(Candidate, Candidate.id == LeaseItem.candidate_id)
        .outerjoin(answer, true())
        .where(
            Lease.campaign_id == campaign_id,
            Lease.run_id.is_not(None),
            Candidate.split == Split.POOL,
            Candidate.slot == 0,
        )
        .order_by(Lease.id.desc(), LeaseItem.position.desc())
        .limit(limit)
    )
    return [HandedOut(*row) for row in rows]


def expectations(session: Session, run_ids: Sequence[int]) -> dict[int, JsonObject]:
    """Run to what it expected of the objects that were free, where it has said so."""
    rows = session.execute(
        select(Run.id, Run.metrics["expected"]).where(
            Run.id.in_(run_ids), Run.metrics.has_key("expected")
        )
    )
    return dict(rows.all())
