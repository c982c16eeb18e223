"""Where a campaign stands: counts, curve points, workers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import DateTime, and_, delete, extract, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from db.base import JsonList, JsonObject
from db.tables import Campaign, Candidate, CurvePoint, Run, WorkerSeen
from db.vocabulary import Arm, CandidateState, RunKind, RunState, Split


@dataclass(frozen=True)
class StoredPoint:
    """One metric of one arm of one run."""

    run_id: int
    kind: RunKind
    finished_at: datetime | None
    label_digest: str
    arm: Arm
    target: str
    metric: str
    n_labels: int
    n_evaluation: int
    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class SeenWorker:
    """A worker process that showed itself."""

    name: str
    queue: str
    seconds: float
    """Since then."""


def count_objects(
    session: Session, campaign_id: int
) -> dict[tuple[Split, CandidateState], int]:
    """How many objects stand where; an object counts as its first opinion does."""
    rows = session.execute(
        select(Candidate.split, Candidate.state, func.count())
        .where(Candidate.campaign_id == campaign_id, Candidate.slot == 0)
        .group_by(Candidate.split, Candidate.state)
    )
    return {(split, state): count for split, state, count in rows}


def curve_points(session: Session, campaign_id: int) -> list[StoredPoint]:
    """Points of the ended runs, by run, arm, target and metric.

    Of a refused run only the control arms count: its model never served, and what was
    learned about the strategy still holds.
    """
    rows = session.execute(
        select(Run, CurvePoint)
        .join(CurvePoint, CurvePoint.run_id == Run.id)
        .where(
            Run.campaign_id == campaign_id,
            or_(
                Run.state == RunState.PUBLISHED,
                and_(Run.state == RunState.REFUSED, CurvePoint.arm != Arm.ACTIVE),
            ),
        )
        .order_by(Run.id, CurvePoint.arm, CurvePoint.target, CurvePoint.metric)
    )
    return [_point(run, point) for run, point in rows]


def kept_arms(session: Session, campaign_id: int) -> list[tuple[Run, Arm, int]]:
    """Arms of ended runs whose predictions were kept, with their labels, by run."""
    rows = session.execute(
        select(Run, CurvePoint.arm, func.max(CurvePoint.n_labels))
        .join(CurvePoint, CurvePoint.run_id == Run.id)
        .where(
            Run.campaign_id == campaign_id,
            Run.metrics["arms"].has_key(CurvePoint.arm),
        )
        .group_by(Run.id, CurvePoint.arm)
        .order_by(Run.id, CurvePoint.arm)
    )
    return [(run, arm, n_labels) for run, arm, n_labels in rows]


def latest_intervals(session: Session, campaign_id: int) -> JsonObject:
    """How sure the lead of the strategy was when it was last compared with random.

    Returns:
        Target to intervals; nothing before that.
    """
    found = session.scalar(
        select(Run.metrics["saved"])
        .where(Run.campaign_id == campaign_id, Run.metrics.has_key("saved"))
        .order_by(Run.id.desc())
        .limit(1)
    )
    return found or {}


def latest_coverage(session: Session, campaign_id: int) -> JsonList:
    """How the intervals of the served run cover in ranges; nothing before the first."""
    found = session.scalar(
        select(Run.metrics["coverage"])
        .join(Campaign, Campaign.served_run_id == Run.id)
        .where(Campaign.id == campaign_id)
    )
    return found or []


def live_runs(session: Session, campaign_id: int) -> list[Run]:
    """Runs that are planned or running."""
    return list(
        session.scalars(
            select(Run)
            .where(
                Run.campaign_id == campaign_id,
                Run.state.in_((RunState.PLANNED, RunState.RUNNING)),
            )
            .order_by(Run.id)
            .execution_options(populate_existing=True)
        )
    )


def database_now(session: Session) -> datetime:
    """What time it is."""
    now = func.clock_timestamp(type_=DateTime(timezone=True))
    return session.scalars(select(now)).one()


def see_worker(session: Session, name: str, queue: str) -> None:
    """Note that a worker lives now."""
    seen = insert(WorkerSeen).values(
        name=name, queue=queue, seen_at=func.clock_timestamp()
    )
    session.execute(
        seen.on_conflict_do_update(
            index_elements=[WorkerSeen.name],
            set_={"queue": seen.excluded.queue, "seen_at": seen.excluded.seen_at},
        )
    )


def seen_workers(session: Session, within: timedelta) -> Sequence[SeenWorker]:
    """Workers that showed themselves lately, the latest first."""
    age = extract("epoch", func.clock_timestamp() - WorkerSeen.seen_at)
    rows = session.execute(
        select(WorkerSeen.name, WorkerSeen.queue, age)
        .where(WorkerSeen.seen_at >= func.clock_timestamp() - within)
        .order_by(WorkerSeen.seen_at.desc(), WorkerSeen.name)
    )
    return [SeenWorker(name, queue, float(seconds)) for name, queue, seconds in rows]


def forget_workers(session: Session, older_than: timedelta) -> int:
    """Forget workers that have not shown themselves for so long; answers how many."""
    forgotten = session.execute(
        delete(WorkerSeen)
        .where(WorkerSeen.seen_at < func.clock_timestamp() - older_than)
        .returning(WorkerSeen.name)
        .execution_options(synchronize_session=False)
    )
    return len(forgotten.all())


def _point(run: Run, point: CurvePoint) -> StoredPoint:
    return StoredPoint(
        run_id=run.id,
        kind=run.kind,
        finished_at=run.finished_at,
        label_digest=run.head_digest or run.label_digest,
        arm=point.arm,
        target=point.target,
        metric=point.metric,
        n_labels=point.n_labels,
        n_evaluation=point.n_evaluation,
        value=point.value,
        low=point.low,
        high=point.high,
    )
