"""Runs: planned once, with the labels they are frozen to."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import extract, func, select, text
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.orm import Session

from db.repositories.copying import copy_rows
from db.repositories.labels import CurrentLabel
from db.tables import Campaign, Run, TrainingLabel
from db.vocabulary import CampaignState, RunKind, RunState, Split, TrainingRole

LIVE = (RunState.PLANNED, RunState.RUNNING)
_LIVE_INDEX = text("state IN ('planned', 'running')")  # of `uq_run_one_live`

_CHANGES = text(
    """
    WITH current AS (
        SELECT id, sky_object_id, created_at FROM label
        WHERE campaign_id = :campaign_id AND split = 'pool' AND quality >= :quality
          AND NOT EXISTS (
            SELECT FROM label AS newer WHERE newer.supersedes_id = label.id)
    ), seen AS (
        SELECT label_id AS id, sky_object_id FROM training_label
        WHERE run_id = :run_id AND role = :role
    )
    SELECT count(DISTINCT coalesce(current.sky_object_id, seen.sky_object_id)),
        extract(epoch FROM clock_timestamp()
            - min(coalesce(current.created_at, correction.created_at)))
    FROM current FULL JOIN seen ON seen.id = current.id
    LEFT JOIN label AS correction ON correction.supersedes_id = seen.id
    WHERE current.id IS NULL OR seen.id IS NULL
    """
)


@dataclass(frozen=True)
class NewRun:
    """A run to plan, with what it is frozen to."""

    campaign_id: int
    kind: RunKind
    n_labels: int
    label_digest: str
    head_digest: str | None
    config_digest: str
    seed: int
    base_run_id: int | None


@dataclass(frozen=True)
class Changes:
    """What happened to the labels since a run froze its own."""

    objects: int
    """Objects whose current, trainable labels are other ones now."""
    oldest_seconds: float | None
    """Age of the first of these changes."""


@dataclass(frozen=True)
class Tried:
    """Runs of one kind that did not end in something that serves."""

    live: int
    failed: int
    seconds_since: float
    """The last one failed; 0 where none has."""
    canceled: bool
    """Somebody has ended the last one."""


def insert_planned(session: Session, new: NewRun) -> int | None:
    """Plan a run; None where the campaign has a live one of this kind."""
    return session.scalar(
        insert(Run)
        .values(
            **vars(new),
            state=RunState.PLANNED,
            attempts=0,
            fence=0,
            cancel_requested=False,
            progress=0.0,
        )
        .on_conflict_do_nothing(
            index_elements=[Run.campaign_id, Run.kind], index_where=_LIVE_INDEX
        )
        .returning(Run.id)
    )


def freeze(
    session: Session, run_id: int, role: TrainingRole, labels: Sequence[CurrentLabel]
) -> None:
    """Write the very labels that a run knows, in the place of earlier ones."""
    session.execute(
        text("DELETE FROM training_label WHERE run_id = :run_id AND role = :role"),
        {"run_id": run_id, "role": role.value},
    )
    copy_rows(
        session,
        TrainingLabel.__tablename__,
        ("run_id", "role", "label_id", "sky_object_id", "split"),
        (
            (run_id, role.value, label.label_id, label.sky_object_id, Split.POOL.value)
            for label in labels
        ),
    )


def by_id(session: Session, run_id: int) -> Run | None:
    """The run of a number, as it stands now."""
    return session.get(Run, run_id, populate_existing=True)


def live(session: Session, campaign_id: int, kind: RunKind) -> Run | None:
    """The planned or running run of a kind (`uq_run_one_live`)."""
    return session.scalar(
        select(Run).where(
            Run.campaign_id == campaign_id, Run.kind == kind, Run.state.in_(LIVE)
        )
    )


def last_finished(session: Session, campaign_id: int, kind: RunKind) -> Run | None:
    """The newest run of a kind that came to an end, whichever (`ix_run_finished`)."""
    return session.scalar(
        select(Run)
        .where(
            Run.campaign_id == campaign_id,
            Run.kind == kind,
            Run.finished_at.is_not(None),
        )
        .order_by(Run.finished_at.desc(), Run.id.desc())
        .limit(1)
    )


def last_failures(
    session: Session, campaign_id: int | None = None
) -> list[tuple[str, Run]]:
    """Newest ended run of every kind, where it failed (`ix_run_finished`).

    Args:
        session: reads in its transaction.
        campaign_id: whose runs; None stands for every campaign that goes on.

    Returns:
        Name of the campaign and run, by campaign and kind.
    """
    of_whom = (
        Campaign.state != CampaignState.FINISHED
        if campaign_id is None
        else Campaign.id == campaign_id
    )
    newest = (
        select(Run.id)
        .join(Campaign, Campaign.id == Run.campaign_id)
        .where(of_whom, Run.finished_at.is_not(None))
        .ext(distinct_on(Run.campaign_id, Run.kind))
        .order_by(Run.campaign_id, Run.kind, Run.finished_at.desc(), Run.id.desc())
    )
    rows = session.execute(
        select(Campaign.name, Run)
        .join(Campaign, Campaign.id == Run.campaign_id)
        .where(Run.id.in_(newest), Run.state == RunState.FAILED)
        .order_by(Run.campaign_id, Run.kind)
        .execution_options(populate_existing=True)
    )
    return [(name, run) for name, run in rows]


def unpublished(session: Session, campaign_id: int, kind: RunKind) -> Tried:
    """What became of the runs of a kind that never served (`ix_run_campaign_id`).

    A canceled run is no failure: somebody wanted it to end.
    """
    failed = Run.state == RunState.FAILED
    failed_at = func.max(Run.finished_at).filter(failed)
    canceled_at = func.max(Run.finished_at).filter(Run.state == RunState.CANCELED)
    live, ended, seconds, canceled = session.execute(
        select(
            func.count().filter(Run.state.in_(LIVE)),
            func.count().filter(failed),
            extract("epoch", func.clock_timestamp() - failed_at),
            func.coalesce(canceled_at > failed_at, canceled_at.is_not(None)),
        ).where(Run.campaign_id == campaign_id, Run.kind == kind)
    ).one()
    return Tried(live, ended, float(seconds or 0.0), canceled)


def changes_since(
    session: Session,
    campaign_id: int,
    *,
    run_id: int | None,
    role: TrainingRole,
    quality: int,
) -> Changes:
    """How the trainable labels differ from those that a run has frozen.

    Compared as sets: a count would miss corrections, and a largest id would miss
    labels whose transaction ends late.

    Args:
        session: reads in its transaction.
        campaign_id: whose labels.
        run_id: the run; None stands for one that knew nothing.
        role: which of its sets.
        quality: least quality that trains.
    """
    objects, oldest = session.execute(
        _CHANGES,
        {
            "campaign_id": campaign_id,
            "run_id": run_id,
            "role": role.value,
            "quality": quality,
        },
    ).one()
    return Changes(int(objects), None if oldest is None else float(oldest))


def page(
    session: Session, campaign_id: int, *, before: int | None, limit: int
) -> list[Run]:
    """Runs of a campaign, newest first (`ix_run_campaign_id`)."""
    statement = select(Run).where(Run.campaign_id == campaign_id)
    if before is not None:
        statement = statement.where(Run.id < before)
    return list(
        session.scalars(
            statement.order_by(Run.id.desc())
            .limit(limit)
            .execution_options(populate_existing=True)
        )
    )
