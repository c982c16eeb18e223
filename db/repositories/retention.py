"""Which files no run will read again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import BigInteger, Select, cast, func, or_, select
from sqlalchemy.orm import Session, aliased

from db.tables import Campaign, Run
from db.vocabulary import RunKind

_NETWORK = Run.metrics["network"].astext
"""Checkpoint of the full run's network: names the cached features."""

_LOOKED_BACK = timedelta(days=2)
"""Runs that ended before that were tidied up by those after them."""


@dataclass(frozen=True)
class Forgettable:
    """Files by what names them."""

    networks: frozenset[str]
    """Networks that serve nobody: their cached features may go."""
    checkpoints: frozenset[str]
    """Checkpoints of head runs that were served and are not any more."""
    run_ids: tuple[int, ...]
    """Head runs whose own files nobody reads any more."""


def find_forgettable(session: Session, *, older_than: timedelta) -> Forgettable:
    """What ended long ago and neither serves nor is the best run of the gate.

    Full runs keep their checkpoints: they are the history of a campaign.

    Args:
        session: reads in its transaction.
        older_than: runs that ended later may still be read by somebody.
    """
    best = session.execute(_facts().where(Run.id.in_(_best_runs()))).all()
    working = session.execute(
        _facts().where(
            or_(Run.id.in_(_served_runs()), Run.id.in_(_live_and_their_networks()))
        )
    ).all()
    recent = session.execute(_ended(RunKind.HEAD, RunKind.FULL, newer=older_than)).all()
    full = session.execute(_ended(RunKind.FULL, older=older_than)).all()
    heads = session.execute(_ended(RunKind.HEAD, older=older_than)).all()
    kept_ids = {row[0] for row in (*best, *working)}
    networks = _names((*working, *recent), 2)
    checkpoints = _names((*best, *working, *recent, *full), 1)
    return Forgettable(
        networks=_names(full, 2) - networks,
        checkpoints=_names(heads, 1) - checkpoints - _names((*full, *recent), 2),
        run_ids=tuple(row[0] for row in heads if row[0] not in kept_ids),
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


def _ended(
    *kinds: RunKind, older: timedelta | None = None, newer: timedelta | None = None
) -> Select[int, str | None, str]:
    now = func.clock_timestamp()
    runs = _facts().where(Run.kind.in_(kinds))
    if older is not None:
        runs = runs.where(Run.finished_at.between(now - _LOOKED_BACK, now - older))
    if newer is not None:
        runs = runs.where(Run.finished_at > now - newer)
    return runs


def _names(rows: Sequence[Sequence[object]], column: int) -> frozenset[str]:
    return frozenset(str(row[column]) for row in rows if row[column] is not None)
