"""Labels: found, added, listed; never changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Row,
    Select,
    String,
    and_,
    any_,
    func,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session, aliased

from db.base import JsonObject
from db.repositories.label_checks import (
    LabelCheck,
    check_columns,
    check_of,
    disagrees,
    with_scan,
)
from db.repositories.training import TRAINABLE_QUALITY, is_current
from db.tables import Candidate, Label, SkyObject
from db.vocabulary import Split


@dataclass(frozen=True)
class FoundObject:
    """An object that somebody wants to label."""

    sky_object_id: int
    object_id: str
    split: Split
    is_candidate: bool
    """Whether the campaign may ask for it."""


@dataclass(frozen=True)
class StoredLabel:
    """One label with the object it belongs to."""

    id: int
    object_id: str
    sky_object_id: int
    ra: float
    dec: float
    values: JsonObject
    errors: JsonObject
    quality: int
    labeler: str
    source: str
    note: str | None
    batch_id: int | None
    late: bool
    supersedes_id: int | None
    superseded_by: int | None
    """The label that corrects this one; none while it is current."""
    created_at: datetime
    check: LabelCheck | None
    """What the scan of the object's spectrum says; None where it says nothing."""


@dataclass(frozen=True)
class LabelToAdd:
    """A label that was checked."""

    sky_object_id: int
    split: Split
    values: JsonObject
    errors: JsonObject
    quality: int
    labeler: str
    source: str
    note: str | None
    lease_id: int | None
    late: bool
    supersedes_id: int | None


@dataclass(frozen=True)
class CurrentLabel:
    """A label that nobody has corrected."""

    label_id: int
    sky_object_id: int
    object_id: str
    split: Split
    labeler: str
    values: JsonObject
    errors: JsonObject
    quality: int
    created_at: datetime


def find_objects(
    session: Session, campaign_id: int, pool_id: int, object_ids: Sequence[str]
) -> dict[str, FoundObject]:
    """The pool's objects among some names, however many: one array is bound."""
    array = literal(list(object_ids), ARRAY(String))
    rows = session.execute(
        select(
            SkyObject.id,
            SkyObject.object_id,
            SkyObject.split,
            Candidate.id.is_not(None),
        )
        .outerjoin(
            Candidate,
            and_(
                Candidate.campaign_id == campaign_id,
                Candidate.sky_object_id == SkyObject.id,
                Candidate.slot == 0,
            ),
        )
        .where(SkyObject.pool_id == pool_id, SkyObject.object_id == any_(array))
    )
    return {row[1]: FoundObject(*row) for row in rows}


def add(
    session: Session, campaign_id: int, labels: Sequence[LabelToAdd]
) -> dict[int, int]:
    """Add labels, in the order of their objects: row locks are taken in that order.

    Returns:
        Object to its new label. An object is absent where somebody else was faster
        with an opinion of the same labeler or a correction of the same label.
    """
    rows = [
        {"campaign_id": campaign_id, **vars(label)}
        for label in sorted(labels, key=lambda label: label.sky_object_id)
    ]
    if not rows:
        return {}
    added = session.execute(
        insert(Label).on_conflict_do_nothing().returning(Label.sky_object_id, Label.id),
        rows,
    )
    return dict(added.all())


def labels_of_objects(
    session: Session, campaign_id: int, sky_object_ids: Sequence[int]
) -> dict[int, list[StoredLabel]]:
    """Object to all its labels in a campaign, oldest first (`ix_label_object`)."""
    array = literal(list(sky_object_ids), ARRAY(BigInteger))
    rows = session.execute(
        _labels(campaign_id)
        .where(Label.sky_object_id == any_(array))
        .order_by(Label.id)
    )
    found: dict[int, list[StoredLabel]] = {}
    for label in map(_stored, rows):
        found.setdefault(label.sky_object_id, []).append(label)
    return found


def list_labels(
    session: Session, campaign_id: int, *, after: int, limit: int, flagged: bool
) -> list[StoredLabel]:
    """Labels by id, superseded ones included (`ix_label_campaign_id`).

    Args:
        session: reads in its transaction.
        campaign_id: whose labels.
        after: the last one seen.
        limit: how many at most.
        flagged: only those that the scan doubts, and that nobody has corrected.
    """
    statement = _labels(campaign_id).where(Label.id > after)
    if flagged:
        statement = statement.where(is_current(), disagrees())
    rows = session.execute(statement.order_by(Label.id).limit(limit))
    return [_stored(row) for row in rows]


def newest_id(session: Session, campaign_id: int) -> int:
    """The largest number of a campaign's labels (`ix_label_campaign_id`), or 0."""
    newest = select(func.max(Label.id)).where(Label.campaign_id == campaign_id)
    return session.scalar(newest) or 0


def current_labels(
    session: Session, campaign_id: int, *, trainable: bool = False
) -> list[CurrentLabel]:
    """Labels that nobody has corrected, by object and label.

    Args:
        session: reads in its transaction.
        campaign_id: whose labels.
        trainable: only those that a model may learn from: confident labels of the
            pool split.
    """
    statement = (
        select(
            Label.id,
            Label.sky_object_id,
            SkyObject.object_id,
            Label.split,
            Label.labeler,
            Label.values,
            Label.errors,
            Label.quality,
            Label.created_at,
        )
        .join(SkyObject, SkyObject.id == Label.sky_object_id)
        .where(Label.campaign_id == campaign_id, is_current())
        .order_by(Label.sky_object_id, Label.id)
    )
    if trainable:
        statement = statement.where(
            Label.split == Split.POOL, Label.quality >= TRAINABLE_QUALITY
        )
    return [CurrentLabel(*row) for row in session.execute(statement)]


def count_current(session: Session, campaign_id: int) -> dict[tuple[Split, bool], int]:
    """How many current labels there are by split and by whether they train."""
    trains = Label.quality >= TRAINABLE_QUALITY
    rows = session.execute(
        select(Label.split, trains, func.count())
        .where(Label.campaign_id == campaign_id, is_current())
        .group_by(Label.split, trains)
    )
    return {(split, trainable): count for split, trainable, count in rows}


def count_trainable(session: Session, campaign_id: int) -> int:
    """How many pool objects have a current label that trains."""
    return (
        session.scalar(
            select(func.count(Label.sky_object_id.distinct())).where(
                Label.campaign_id == campaign_id,
                Label.split == Split.POOL,
                Label.quality >= TRAINABLE_QUALITY,
                is_current(),
            )
        )
        or 0
    )


def count_all(session: Session, campaign_id: int) -> int:
    """How many labels there are, superseded ones included."""
    return (
        session.scalar(select(func.count()).where(Label.campaign_id == campaign_id))
        or 0
    )


def _labels(campaign_id: int) -> Select[*tuple[Any, ...]]:
    correction = aliased(Label)
    return with_scan(
        select(
            Label,
            SkyObject.object_id,
            SkyObject.ra,
            SkyObject.dec,
            correction.id,
            *check_columns(),
        )
        .join(SkyObject, SkyObject.id == Label.sky_object_id)
        .outerjoin(correction, correction.supersedes_id == Label.id)
        .where(Label.campaign_id == campaign_id)
    )


def _stored(row: Row[*tuple[Any, ...]]) -> StoredLabel:
    label, object_id, ra, dec, superseded_by, *check = row
    return StoredLabel(
        id=label.id,
        object_id=object_id,
        sky_object_id=label.sky_object_id,
        ra=ra,
        dec=dec,
        values=label.values,
        errors=label.errors,
        quality=label.quality,
        labeler=label.labeler,
        source=label.source,
        note=label.note,
        batch_id=label.lease_id,
        late=label.late,
        supersedes_id=label.supersedes_id,
        superseded_by=superseded_by,
        created_at=label.created_at,
        check=check_of(tuple(check)),
    )
