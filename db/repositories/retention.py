"""Which files somebody may read again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import BigInteger, Select, cast, func, or_, select
from sqlalchemy.orm import Session, aliased

from db.tables import Campaign, Run
from db.vocabulary import RunKind, RunState

_NETWORK = Run.metrics["network"].astext
"""Checkpoint of the full run's network: names the cached features."""


@dataclass(frozen=True)
class Needed:
    """Files by what names them: all others may go."""

    networks: frozenset[str]
    """Networks that serve, or that a live run reads: with their cached features."""
    checkpoints: frozenset[str]
    """Checkpoints of other runs."""
    run_ids: frozenset[int]
    """Runs whose own files somebody reads."""
    live_ids: frozenset[int]
    """Those of them that have not ended: their rows do not name a network yet."""


def find_needed(session: Session, *, ended_within: timedelta) -> Needed:
    """What serves, is being worked on, ended lately, or is the best run of the gate.

    Full runs that were published keep their checkpoints: they are the history of a
    campaign.

    Args:
        session: reads in its transaction.
        ended_within: runs that ended since then may still be read by somebody.
    """
    lately = func.clock_timestamp() - ended_within
    working = session.execute(
        _facts().where(
            or_(
                Run.id.in_(_served_runs()),
                Run.id.in_(_live_and_their_networks()),
                Run.finished_at > lately,
            )
        )
    ).all()
    best = session.execute(_facts().where(Run.id.in_(_best_runs()))).all()
    history = session.execute(
        _facts().where(Run.kind == RunKind.FULL, Run.state == RunState.PUBLISHED)
    ).all()
    live = session.scalars(select(Run.id).where(Run.finished_at.is_(None)))
    return Needed(
        networks=_names(working, 2),
        checkpoints=_names((*working, *best, *history), 1) | _names(best, 2),
        run_ids=frozenset(row[0] for row in (*working, *best)),
        live_ids=frozenset(live),
    )


def _facts() -> Select[int, str | None, str]:
    return select(Run.id, Run.checkpoint_digest, _NETWORK)


def _served_runs() -> Select[int | None]:
    return select(Campaign.served_run_id).where(Campaign.served_run_id.is_not(None))


def _best_runs() -> Select[int]:
    """The best runs so far: the gate compares new ones with their predictions."""
    served = aliased(Run)
    best = cast(served.metrics["best_run"].astext, BigInteger)
    return (
        select(best)
        .join(Campaign, Campaign.served_run_id == served.id)
        .where(best.is_not(None))
    )


def _live_and_their_networks() -> Select[int]:
    live, bases = aliased(Run), aliased(Run)
    return (
        select(live.id)
        .where(live.finished_at.is_(None))
        .union(
            select(bases.base_run_id).where(
                bases.finished_at.is_(None), bases.base_run_id.is_not(None)
            )
        )
        .subquery()
        .select()
    )


def _names(rows: Sequence[Sequence[object]], column: int) -> frozenset[str]:
    return frozenset(str(row[column]) for row in rows if row[column] is not None)
