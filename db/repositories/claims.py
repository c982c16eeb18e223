"""Runs change hands: claimed, beaten, finished behind a fence, found again if lost."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, null, or_, update
from sqlalchemy.orm import Session

from db.base import JsonObject
from db.tables import Run
from db.vocabulary import RunKind, RunState


def claim(
    session: Session,
    run_id: int,
    *,
    worker: str,
    stale_after: timedelta,
    deadline: timedelta,
    max_attempts: int,
) -> Run | None:
    """Take a run up: the first heartbeat is part of it."""
    now = func.clock_timestamp()
    return session.scalar(
        update(Run)
        .where(
            Run.id == run_id,
            ~Run.cancel_requested,
            Run.attempts < max_attempts,
            or_(Run.state == RunState.PLANNED, _stale(stale_after)),
        )
        .values(
            state=RunState.RUNNING,
            worker=worker,
            heartbeat_at=now,
            started_at=now,
            deadline_at=now + deadline,
            attempts=Run.attempts + 1,
            fence=Run.fence + 1,
            progress=0.0,
        )
        .returning(Run)
        .execution_options(populate_existing=True)
    )


def beat(
    session: Session, run_id: int, fence: int, progress: float | None
) -> tuple[bool, bool] | None:
    """Show that a run's worker lives.

    Returns:
        Whether it was canceled and whether its deadline has passed; None where
        somebody else holds the run, or nobody.
    """
    now = func.clock_timestamp()
    values: dict[str, Any] = {"heartbeat_at": now}  # Any: SQL and numbers
    if progress is not None:
        values["progress"] = func.least(1.0, func.greatest(Run.progress, progress))
    row = session.execute(
        update(Run)
        .where(_held(run_id, fence))
        .values(**values)
        .returning(Run.cancel_requested, Run.deadline_at <= now)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    return None if row is None else (row[0], bool(row[1]))


def finish(
    session: Session,
    run_id: int,
    fence: int,
    state: RunState,
    facts: Mapping[str, JsonObject | str | int | None],
) -> bool:
    """End a run; False where the fence has moved on or a publication was canceled."""
    condition = _held(run_id, fence)
    if state is RunState.PUBLISHED:
        condition = and_(condition, ~Run.cancel_requested)
    values: dict[str, Any] = dict(facts)  # Any: whatever the columns hold
    if state is RunState.PUBLISHED:
        values["progress"] = 1.0
    finished = session.scalar(
        update(Run)
        .where(condition)
        .values(state=state, finished_at=func.clock_timestamp(), **values)
        .returning(Run.id)
        .execution_options(synchronize_session=False)
    )
    return finished is not None


def put_back(
    session: Session, run_id: int, fence: int, *, max_attempts: int | None = None
) -> bool:
    """Give a run back unfinished.

    Args:
        session: the caller commits.
        run_id: the run.
        fence: of the claim.
        max_attempts: the attempt counts, and must not be the last one; None where the
            worker was told to end: no attempt.
    """
    uncounted = 1 if max_attempts is None else 0
    condition = and_(_held(run_id, fence), ~Run.cancel_requested)
    if max_attempts is not None:
        condition = and_(condition, Run.attempts < max_attempts)
    back = session.scalar(
        update(Run)
        .where(condition)
        .values(
            state=RunState.PLANNED,
            worker=null(),
            heartbeat_at=null(),
            deadline_at=null(),
            attempts=func.greatest(Run.attempts - uncounted, 0),
            rung_at=func.clock_timestamp(),
        )
        .returning(Run.id)
        .execution_options(synchronize_session=False)
    )
    return back is not None


def cancel_planned(session: Session, run_id: int) -> bool:
    """End a run that nobody has taken up."""
    canceled = session.scalar(
        update(Run)
        .where(Run.id == run_id, Run.state == RunState.PLANNED)
        .values(
            state=RunState.CANCELED,
            cancel_requested=True,
            finished_at=func.clock_timestamp(),
        )
        .returning(Run.id)
        .execution_options(synchronize_session=False)
    )
    return canceled is not None


def ask_to_cancel(session: Session, run_id: int) -> bool:
    """Ask a running run's worker to stop; it hears with its next heartbeat."""
    asked = session.scalar(
        update(Run)
        .where(Run.id == run_id, Run.state == RunState.RUNNING)
        .values(cancel_requested=True)
        .returning(Run.id)
        .execution_options(synchronize_session=False)
    )
    return asked is not None


def end_abandoned(
    session: Session, *, stale_after: timedelta, max_attempts: int
) -> None:
    """End runs that nobody will finish: canceled, or taken up too often.

    A deadline is for a worker that lives. One that died is no reason to fail, however
    late that is noticed: whoever takes its run up has the whole time again.
    """
    for given_up, state, message in (
        (Run.cancel_requested, RunState.CANCELED, "canceled; its worker was lost"),
        (
            Run.attempts >= max_attempts,
            RunState.FAILED,
            f"its worker was lost {max_attempts} times",
        ),
    ):
        session.execute(
            update(Run)
            .where(_stale(stale_after), given_up)
            .values(state=state, finished_at=func.clock_timestamp(), message=message)
            .execution_options(synchronize_session=False)
        )


def take_unheard(
    session: Session, *, stale_after: timedelta, ring_after: timedelta
) -> list[tuple[int, RunKind]]:
    """Runs that need a worker and were not rung for lately (`ix_run_live`).

    Whoever gets them rings: of two sweeps at once only one does.
    """
    rows = session.execute(
        update(Run)
        .where(
            or_(Run.state == RunState.PLANNED, _stale(stale_after)),
            Run.rung_at <= func.clock_timestamp() - ring_after,
        )
        .values(rung_at=func.clock_timestamp())
        .returning(Run.id, Run.kind)
        .execution_options(synchronize_session=False)
    )
    return sorted(rows.all())


def _stale(stale_after: timedelta) -> ColumnElement[bool]:
    return and_(
        Run.state == RunState.RUNNING,
        Run.heartbeat_at < func.clock_timestamp() - stale_after,
    )


def _held(run_id: int, fence: int) -> ColumnElement[bool]:
    return and_(Run.id == run_id, Run.fence == fence, Run.state == RunState.RUNNING)
