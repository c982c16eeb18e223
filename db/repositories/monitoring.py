"""Counts of everything by state, for the operator's dashboard."""

from collections import defaultdict
from typing import Any

from sqlalchemy import Extract, SQLColumnExpression, extract, func, select
from sqlalchemy.orm import Session

from db.tables import Campaign, Candidate, Label, Lease, Run, WorkerSeen
from db.vocabulary import RunState

Column = SQLColumnExpression[Any]  # a moment in time, nullable or not

Counts = dict[int, dict[str, int]]
"""Campaign id → state → how many."""


def campaign_names(session: Session) -> dict[int, str]:
    """Campaign id to name, oldest first."""
    rows = session.execute(select(Campaign.id, Campaign.name).order_by(Campaign.id))
    return {row.id: row.name for row in rows}


def count_candidates(session: Session) -> Counts:
    """How many candidates every campaign has in every state."""
    return _count_by_state(session, Candidate)


def count_runs(session: Session) -> Counts:
    """How many runs every campaign has in every state."""
    return _count_by_state(session, Run)


def count_leases(session: Session) -> Counts:
    """How many query batches every campaign has in every state."""
    return _count_by_state(session, Lease)


def count_labels(session: Session) -> dict[int, int]:
    """Campaign id to number of labels, superseded ones included."""
    rows = session.execute(
        select(Label.campaign_id, func.count().label("labels")).group_by(
            Label.campaign_id
        )
    )
    return {row.campaign_id: row.labels for row in rows}


def publication_ages(session: Session) -> dict[int, float]:
    """Campaign id to the seconds since a run was last published."""
    rows = session.execute(
        select(Run.campaign_id, _seconds_since(Run.finished_at).label("seconds"))
        .where(Run.state == RunState.PUBLISHED)
        .group_by(Run.campaign_id)
    )
    return {row.campaign_id: float(row.seconds) for row in rows}


def worker_ages(session: Session) -> dict[str, float]:
    """Queue to the seconds since one of its workers showed itself."""
    rows = session.execute(
        select(
            WorkerSeen.queue, _seconds_since(WorkerSeen.seen_at).label("seconds")
        ).group_by(WorkerSeen.queue)
    )
    return {row.queue: float(row.seconds) for row in rows}


def _seconds_since(moment: Column) -> Extract:
    return extract("epoch", func.now() - func.max(moment))


def _count_by_state(session: Session, table: type[Candidate | Run | Lease]) -> Counts:
    counts: Counts = defaultdict(dict)
    query = select(table.campaign_id, table.state, func.count().label("number"))
    for row in session.execute(query.group_by(table.campaign_id, table.state)):
        counts[row.campaign_id][row.state.value] = row.number
    return counts
