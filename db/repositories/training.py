"""What a run learns from and is examined on: frozen labels, evaluation labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    case,
    cast,
    exists,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Session, aliased

from db.base import JsonObject
from db.repositories.copying import read_integers
from db.tables import (
    Campaign,
    Candidate,
    CurvePoint,
    Label,
    LeaseItem,
    Run,
    SkyObject,
    TrainingLabel,
)
from db.vocabulary import (
    Arm,
    CandidateState,
    Reason,
    RunKind,
    RunState,
    Split,
    TrainingRole,
)

TRAINABLE_QUALITY = 3
"""Labels of quality 3 and 4 are confident enough to learn from."""

FREE_PLACE, LEASED_PLACE, LABELED_PLACE = range(3)
"""Where an object stands, as `pool_candidates` numbers it."""


@dataclass(frozen=True)
class StoredOpinion:
    """One label of one object, as the arrays know it."""

    sky_object_id: int
    row: int
    """Row in the pool's arrays."""
    label_id: int
    values: JsonObject
    errors: JsonObject


def opinions_of_run(
    session: Session, run_id: int, role: TrainingRole
) -> list[StoredOpinion]:
    """The labels frozen into a run, by row and label id."""
    statement = _opinions().join(TrainingLabel, TrainingLabel.label_id == Label.id)
    return _read(
        session,
        statement.where(TrainingLabel.run_id == run_id, TrainingLabel.role == role),
    )


def evaluation_opinions(session: Session, campaign_id: int) -> list[StoredOpinion]:
    """Current, confident labels of evaluation objects, by row and label id."""
    return _read(
        session,
        _opinions().where(
            Label.campaign_id == campaign_id,
            Label.split == Split.EVALUATION,
            Label.quality >= TRAINABLE_QUALITY,
            is_current(),
        ),
    )


def is_current() -> ColumnElement[bool]:
    """A label that no correction supersedes (unique index on `supersedes_id`)."""
    correction = aliased(Label)
    return ~exists().where(correction.supersedes_id == Label.id)


def evaluation_rows(
    session: Session, campaign: Campaign, *, known: bool
) -> dict[str, NDArray[np.int64]]:
    """The objects that examine: `sky_object_id` and `row`, by row.

    Args:
        session: reads in its transaction.
        campaign: whose.
        known: every evaluation object of the pool, because the pool knows their
            labels; otherwise the campaign's evaluation sample.
    """
    columns = select(SkyObject.id.label("sky_object_id"), SkyObject.row).order_by(
        SkyObject.row
    )
    if known:
        chosen = columns.where(
            SkyObject.pool_id == campaign.pool_id, SkyObject.split == Split.EVALUATION
        )
    else:
        chosen = columns.join(Candidate, Candidate.sky_object_id == SkyObject.id).where(
            Candidate.campaign_id == campaign.id,
            Candidate.split == Split.EVALUATION,
            Candidate.slot == 0,
        )
    return read_integers(session, chosen)


def pool_candidates(session: Session, campaign_id: int) -> dict[str, NDArray[np.int64]]:
    """The pool's objects and where they stand, of one moment: one statement.

    Returns:
        `sky_object_id`, `row`, `random_key` and `place`, one of `FREE_PLACE`,
        `LEASED_PLACE` and `LABELED_PLACE`; by row and place. An object is free by its
        slot 0 and leased or labeled in any, so that one may be there several times.
    """
    place = case(
        (Candidate.state == CandidateState.FREE, FREE_PLACE),
        (Candidate.state == CandidateState.LEASED, LEASED_PLACE),
        else_=LABELED_PLACE,
    )
    statement = (
        select(
            SkyObject.id.label("sky_object_id"),
            SkyObject.row,
            Candidate.random_key,
            cast(place, BigInteger).label("place"),
        )
        .join(Candidate, Candidate.sky_object_id == SkyObject.id)
        .where(
            Candidate.campaign_id == campaign_id,
            Candidate.split == Split.POOL,
            or_(Candidate.slot == 0, Candidate.state != CandidateState.FREE),
        )
        .order_by(SkyObject.row, "place")
    )
    return read_integers(session, statement)


def random_keys(
    session: Session, campaign_id: int, sky_object_ids: Sequence[int]
) -> dict[int, int]:
    """Object to its fixed random key in the campaign."""
    rows = session.execute(
        select(Candidate.sky_object_id, Candidate.random_key).where(
            Candidate.campaign_id == campaign_id,
            Candidate.slot == 0,
            Candidate.sky_object_id.in_(sky_object_ids),
        )
    )
    return dict(rows.all())


def largest_random_key(session: Session, campaign_id: int) -> int | None:
    """The end of the random sample so far: every smaller key belongs to it."""
    return session.scalar(
        select(func.max(Candidate.random_key))
        .join(LeaseItem, LeaseItem.candidate_id == Candidate.id)
        .where(
            Candidate.campaign_id == campaign_id,
            Candidate.split == Split.POOL,
            LeaseItem.reason == Reason.RANDOM,
        )
    )


def first_unanswered_key(session: Session, campaign_id: int, run_id: int) -> int | None:
    """Where the random sample, as a run's frozen labels know it, has its first gap.

    An answer of any quality closes a gap. One that would train but came after the
    labels were frozen does not: the run has not seen it. Labels are found by
    `ix_label_object`.

    Returns:
        The smallest random key without an answer; None where all have one.
    """
    answers = (
        Label.campaign_id == campaign_id,
        Label.sky_object_id == Candidate.sky_object_id,
    )
    trains = exists().where(*answers, Label.quality >= TRAINABLE_QUALITY, is_current())
    frozen = exists().where(
        TrainingLabel.run_id == run_id,
        TrainingLabel.role == TrainingRole.NETWORK,
        TrainingLabel.sky_object_id == Candidate.sky_object_id,
    )
    return session.scalar(
        select(func.min(Candidate.random_key)).where(
            Candidate.campaign_id == campaign_id,
            Candidate.split == Split.POOL,
            Candidate.slot == 0,
            ~frozen,
            or_(~exists().where(*answers), trains),
        )
    )


def handed_out_for(session: Session, campaign_id: int, reason: str) -> dict[int, int]:
    """Objects that were ever handed out for a reason, with the first such lease."""
    rows = session.execute(
        select(Candidate.sky_object_id, func.min(LeaseItem.lease_id))
        .join(LeaseItem, LeaseItem.candidate_id == Candidate.id)
        .where(Candidate.campaign_id == campaign_id, LeaseItem.reason == reason)
        .group_by(Candidate.sky_object_id)
    )
    return dict(rows.all())


def objects_of_run(session: Session, run_id: int, role: TrainingRole) -> set[int]:
    """The objects whose labels are frozen into a run."""
    return set(
        session.scalars(
            select(TrainingLabel.sky_object_id).where(
                TrainingLabel.run_id == run_id, TrainingLabel.role == role
            )
        )
    )


def first_published_full_run(session: Session, campaign_id: int) -> int | None:
    """The campaign's first network: its labels are the initial set of all arms."""
    return session.scalar(
        select(func.min(Run.id)).where(
            Run.campaign_id == campaign_id,
            Run.kind == RunKind.FULL,
            Run.state == RunState.PUBLISHED,
        )
    )


def largest_arm(session: Session, campaign_id: int, arm: Arm) -> int | None:
    """The most labels that an arm of the learning curve was ever trained on."""
    return session.scalar(
        select(func.max(CurvePoint.n_labels))
        .join(Run, Run.id == CurvePoint.run_id)
        .where(Run.campaign_id == campaign_id, CurvePoint.arm == arm)
    )


def served_run(session: Session, campaign_id: int) -> Run | None:
    """The run whose ranking a campaign hands out; None before the first."""
    return session.scalar(
        select(Run)
        .join(Campaign, Campaign.served_run_id == Run.id)
        .where(Campaign.id == campaign_id)
    )


def _opinions() -> Select[int, int, int, JsonObject, JsonObject]:
    return (
        select(SkyObject.id, SkyObject.row, Label.id, Label.values, Label.errors)
        .join(SkyObject, SkyObject.id == Label.sky_object_id)
        .order_by(SkyObject.row, Label.id)
    )


def _read(
    session: Session, statement: Select[int, int, int, JsonObject, JsonObject]
) -> list[StoredOpinion]:
    return [StoredOpinion(*row) for row in session.execute(statement)]
