"""Objects to look at: by score, and one with everything that happened to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, or_, select
from sqlalchemy.orm import Session

from db.base import JsonObject
from db.tables import (
    Campaign,
    Candidate,
    Lease,
    LeaseItem,
    Pool,
    Prediction,
    RankedObject,
    Run,
    SkyObject,
)
from db.vocabulary import CandidateState, PoolState, Split


@dataclass(frozen=True)
class ScoredObject:
    """An object with what the served run says of it."""

    id: int
    object_id: str
    ra: float
    dec: float
    state: CandidateState
    rank: int | None
    reason: str | None
    run_id: int | None = None
    score: float | None = None
    prediction: JsonObject | None = None


_SHOWN = (
    SkyObject.id,
    SkyObject.object_id,
    SkyObject.ra,
    SkyObject.dec,
    Candidate.state,
    RankedObject.rank,
    Run.ranked_by,
)
"""The first fields of a `ScoredObject`, in their order."""

Listing = Select[*tuple[Any, ...]]  # rows of columns of many types


def has_predictions(session: Session, campaign_id: int) -> bool:
    """Whether a run has predicted anything for a campaign (`ix_prediction_score`)."""
    there = exists().where(Prediction.campaign_id == campaign_id)
    return bool(session.scalar(select(there)))


def unscored(
    session: Session, campaign_id: int, *, after: int, limit: int
) -> list[ScoredObject]:
    """Pool objects of a campaign by id, before any run has said anything of them.

    Walks the unique index of object and slot from `after`: a page, never the pool.
    """
    query = (
        select(*_SHOWN)
        .join(Candidate, Candidate.sky_object_id == SkyObject.id)
        .join(Campaign, Campaign.id == Candidate.campaign_id)
        .where(
            Candidate.campaign_id == campaign_id,
            Candidate.split == Split.POOL,
            Candidate.slot == 0,
            Candidate.sky_object_id > after,
        )
        .order_by(Candidate.sky_object_id)
        .limit(limit)
    )
    placed = _with_place(query, Campaign.served_run_id.expression)
    return [ScoredObject(*row) for row in session.execute(placed)]


def most_uncertain(
    session: Session,
    campaign_id: int,
    *,
    after: tuple[float, int] | None,
    limit: int,
) -> list[ScoredObject]:
    """Objects with predictions, highest score first (`ix_prediction_score`).

    Args:
        session: reads only.
        campaign_id: the campaign.
        after: score and id of the last object seen; None begins at the top.
        limit: how many at most.
    """
    query = (
        select(*_SHOWN, Prediction.run_id, Prediction.score, Prediction.targets)
        .join(Prediction, Prediction.sky_object_id == SkyObject.id)
        .join(
            Candidate,
            (Candidate.campaign_id == Prediction.campaign_id)
            & (Candidate.sky_object_id == SkyObject.id)
            & (Candidate.slot == 0),
        )
        .where(Prediction.campaign_id == campaign_id)
        .order_by(Prediction.score.desc(), Prediction.sky_object_id)
        .limit(limit)
    )
    if after is not None:
        score, last = after
        query = query.where(
            Prediction.score <= score,
            or_(Prediction.score < score, Prediction.sky_object_id > last),
        )
    placed = _with_place(query, Prediction.run_id.expression)
    return [ScoredObject(*row) for row in session.execute(placed)]


def _with_place(query: Listing, run_id: ColumnElement[Any]) -> Listing:
    """Beside each object its place in the order of a run, where it has one."""
    return query.join(
        RankedObject,
        (RankedObject.run_id == run_id) & (RankedObject.sky_object_id == SkyObject.id),
        isouter=True,
    ).join(Run, Run.id == RankedObject.run_id, isouter=True)


def find_objects(
    session: Session, object_id: str, pool: str | None
) -> list[tuple[SkyObject, str]]:
    """Objects of that id in visible pools, with the pool's name, by its name."""
    query = (
        select(SkyObject, Pool.name)
        .join(Pool, Pool.id == SkyObject.pool_id)
        .where(Pool.state == PoolState.READY, SkyObject.object_id == object_id)
        .order_by(Pool.name)
    )
    if pool is not None:
        query = query.where(Pool.name == pool)
    return [(one, name) for one, name in session.execute(query)]


def candidacies(
    session: Session, sky_object_id: int
) -> list[tuple[Campaign, Candidate]]:
    """The campaigns that have the object, oldest first, with its candidates."""
    query = (
        select(Campaign, Candidate)
        .join(Candidate, Candidate.campaign_id == Campaign.id)
        .where(Candidate.sky_object_id == sky_object_id)
        .order_by(Campaign.id, Candidate.slot)
    )
    return [(campaign, candidate) for campaign, candidate in session.execute(query)]


def predictions_of(session: Session, sky_object_id: int) -> dict[int, Prediction]:
    """Campaign id to what its served run says of the object."""
    query = select(Prediction).where(Prediction.sky_object_id == sky_object_id)
    return {one.campaign_id: one for one in session.scalars(query)}


def places_of(session: Session, sky_object_id: int) -> dict[int, tuple[int, str]]:
    """Campaign id to the object's place in its served order, and why it has it."""
    query = (
        select(Campaign.id, RankedObject.rank, Run.ranked_by)
        .join(Run, Run.id == Campaign.served_run_id)
        .join(RankedObject, RankedObject.run_id == Run.id)
        .where(RankedObject.sky_object_id == sky_object_id)
    )
    return {
        campaign_id: (rank, reason or "")
        for campaign_id, rank, reason in session.execute(query)
    }


def hand_outs(
    session: Session, candidate_ids: Sequence[int]
) -> list[tuple[LeaseItem, Lease]]:
    """Every time that one of these candidates was handed out, oldest first."""
    query = (
        select(LeaseItem, Lease)
        .join(Lease, Lease.id == LeaseItem.lease_id)
        .where(LeaseItem.candidate_id.in_(candidate_ids))
        .order_by(Lease.id, LeaseItem.position)
    )
    return [(item, lease) for item, lease in session.execute(query)]
