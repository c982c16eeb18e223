"""Labels on their way out: measured first, then read at any number."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, func, literal, select
from sqlalchemy.orm import Session, aliased

from db.repositories.label_checks import check_columns, with_scan
from db.repositories.training import is_current
from db.tables import Label, SkyObject

ROWS: Final = 2000
"""Fetched at a time from a server-side cursor: bounded memory."""

MOMENT: Final = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'


@dataclass(frozen=True)
class LabelExtent:
    """How many labels there are, and the most bytes of each of their texts."""

    count: int
    object_id: int
    labeler: int
    source: int
    note: int


def begin_snapshot(session: Session) -> None:
    """Let everything that this session reads be of one moment, whatever is told."""
    session.connection(
        execution_options={
            "isolation_level": "REPEATABLE READ",
            "postgresql_readonly": True,
        }
    )


def measure_labels(session: Session, campaign_id: int, *, current: bool) -> LabelExtent:
    """What has to be known before the first label is written."""
    texts = (SkyObject.object_id, Label.labeler, Label.source, Label.note)
    row = session.execute(
        select(
            func.count(),
            *(func.coalesce(func.max(func.octet_length(text)), 0) for text in texts),
        )
        .select_from(Label)
        .join(SkyObject, SkyObject.id == Label.sky_object_id)
        .where(*_chosen(campaign_id, current))
    ).one()
    return LabelExtent(*row)


def read_labels(
    session: Session, campaign_id: int, *, current: bool
) -> Iterator[Sequence[Sequence[Any]]]:  # Any: columns of all types
    """Labels by id (`ix_label_campaign_id`), `ROWS` at a time.

    Returns:
        id, object_id, ra, dec, values, errors, quality, labeler, source, note,
        batch_id, late, supersedes, superseded_by, created_at as text; then what the
        scan says: z, class, confidence, dz, whether it doubts the label.
    """
    correction = aliased(Label)
    rows = session.execute(
        with_scan(
            select(
                Label.id,
                SkyObject.object_id,
                SkyObject.ra,
                SkyObject.dec,
                Label.values,
                Label.errors,
                Label.quality,
                Label.labeler,
                Label.source,
                Label.note,
                Label.lease_id,
                Label.late,
                Label.supersedes_id,
                correction.id,
                func.to_char(func.timezone(literal("UTC"), Label.created_at), MOMENT),
                *check_columns(),
            )
        )
        .join(SkyObject, SkyObject.id == Label.sky_object_id)
        .outerjoin(correction, correction.supersedes_id == Label.id)
        .where(*_chosen(campaign_id, current))
        .order_by(Label.id),
        execution_options={"yield_per": ROWS},
    )
    try:
        yield from rows.partitions()
    finally:
        rows.close()


def _chosen(campaign_id: int, current: bool) -> tuple[ColumnElement[bool], ...]:
    mine = (Label.campaign_id == campaign_id,)
    return (*mine, is_current()) if current else mine
