"""Scans of pools change hands as runs do: claimed, beaten, finished behind a fence."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    and_,
    delete,
    func,
    literal,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from db.repositories.copying import Row, copy_rows, read_integers
from db.tables import Pool, PoolScan, RedshiftScan, SkyObject
from db.vocabulary import PoolState, ScanState

LONG_AGO: Final = timedelta(days=1)
"""When a scan was rung for that nobody was told of: the next sweep rings."""

_COLUMNS = (
    "sky_object_id",
    "z",
    "z_error",
    "confidence",
    "gain",
    "spectral_class",
)


def find(session: Session, pool_id: int) -> PoolScan | None:
    """How far the scan of a pool is; None where nobody has looked at it yet."""
    return session.get(PoolScan, pool_id, populate_existing=True)


def plan_missing(session: Session, version: int, pool_id: int | None = None) -> None:
    """Give every visible pool with spectra a row, and plan what is outdated anew.

    Args:
        session: the caller commits.
        version: of the scan, now.
        pool_id: only this pool.
    """
    mine = literal(True) if pool_id is None else Pool.id == pool_id
    session.execute(
        insert(PoolScan)
        .from_select(
            ["pool_id", "version", "state", "rung_at"],
            select(
                Pool.id,
                literal(version),
                literal(ScanState.PLANNED.value),
                func.clock_timestamp() - LONG_AGO,
            ).where(
                mine,
                Pool.state == PoolState.READY,
                Pool.modalities.contains(["spectrum"]),
                ~select(PoolScan).where(PoolScan.pool_id == Pool.id).exists(),
            ),
        )
        .on_conflict_do_nothing()
    )
    session.execute(
        update(PoolScan)
        .where(PoolScan.version < version)
        .values(
            version=version,
            fence=PoolScan.fence + 1,  # an older program's result is not wanted
            **_waiting(),
        )
        .execution_options(synchronize_session=False)
    )


def plan_again(session: Session, pool_id: int) -> None:
    """Forget that the scan of a pool has failed."""
    session.execute(
        update(PoolScan)
        .where(PoolScan.pool_id == pool_id, PoolScan.state == ScanState.FAILED)
        .values(**_waiting())
        .execution_options(synchronize_session=False)
    )


def claim(
    session: Session,
    pool_id: int,
    *,
    version: int,
    worker: str,
    stale_after: timedelta,
    max_attempts: int,
) -> int | None:
    """Take the scan of a pool up: the first heartbeat is part of it.

    Returns:
        The fence of the claim; None where there is nothing to do, or somebody does it.
    """
    return session.scalar(
        update(PoolScan)
        .where(
            PoolScan.pool_id == pool_id,
            PoolScan.version == version,
            PoolScan.attempts < max_attempts,
            or_(PoolScan.state == ScanState.PLANNED, _stale(stale_after)),
        )
        .values(
            state=ScanState.RUNNING,
            worker=worker,
            heartbeat_at=func.clock_timestamp(),
            attempts=PoolScan.attempts + 1,
            fence=PoolScan.fence + 1,
        )
        .returning(PoolScan.fence)
        .execution_options(synchronize_session=False)
    )


def beat(session: Session, pool_id: int, fence: int, progress: float) -> bool:
    """Show that a scan's worker lives; False where somebody else has it."""
    return _change(
        session,
        pool_id,
        fence,
        heartbeat_at=func.clock_timestamp(),
        progress=func.greatest(PoolScan.progress, progress),
    )


def finish(session: Session, pool_id: int, fence: int) -> bool:
    """Publish what was found; False where the fence has moved on."""
    return _change(
        session,
        pool_id,
        fence,
        state=ScanState.DONE,
        finished_at=func.clock_timestamp(),
        progress=1.0,
        message=null(),
    )


def put_back(session: Session, pool_id: int, fence: int) -> bool:
    """Give a scan back unfinished: its worker was told to end; no attempt."""
    return _change(
        session,
        pool_id,
        fence,
        **_waiting() | {"attempts": func.greatest(PoolScan.attempts - 1, 0)},
    )


def try_again(
    session: Session, pool_id: int, fence: int, *, message: str, max_attempts: int
) -> bool:
    """Note what went wrong; the last attempt ends the scan."""
    held = session.scalar(
        select(PoolScan.attempts).where(_held(pool_id, fence)).with_for_update()
    )
    if held is None:
        return False
    if held < max_attempts:
        values = _waiting() | {"attempts": held, "rung_at": func.clock_timestamp()}
    else:
        values = {"state": ScanState.FAILED, "finished_at": func.clock_timestamp()}
    return _change(session, pool_id, fence, **values | {"message": message})


def end_abandoned(
    session: Session, *, stale_after: timedelta, max_attempts: int
) -> None:
    """End scans whose workers were lost too often."""
    session.execute(
        update(PoolScan)
        .where(_stale(stale_after), PoolScan.attempts >= max_attempts)
        .values(
            state=ScanState.FAILED,
            finished_at=func.clock_timestamp(),
            message=f"its worker was lost {max_attempts} times",
        )
        .execution_options(synchronize_session=False)
    )


def take_unheard(
    session: Session, *, stale_after: timedelta, ring_after: timedelta
) -> list[int]:
    """Pools whose scan needs a worker and was not rung for lately.

    Whoever gets them rings: of two sweeps at once only one does. A row per pool: no
    index is needed.
    """
    taken = session.scalars(
        update(PoolScan)
        .where(
            or_(PoolScan.state == ScanState.PLANNED, _stale(stale_after)),
            PoolScan.rung_at <= func.clock_timestamp() - ring_after,
        )
        .values(rung_at=func.clock_timestamp())
        .returning(PoolScan.pool_id)
        .execution_options(synchronize_session=False)
    )
    return sorted(taken)


def replace_redshifts(session: Session, pool_id: int, rows: Iterable[Row]) -> int:
    """Write what the scan says of a pool's objects, in place of what it said before.

    Args:
        session: the caller commits.
        pool_id: the pool.
        rows: id of the object, z, its error, confidence, gain, class.

    Returns:
        How many rows were written.
    """
    mine = select(SkyObject.id).where(SkyObject.pool_id == pool_id)
    session.execute(
        delete(RedshiftScan)
        .where(RedshiftScan.sky_object_id.in_(mine))
        .execution_options(synchronize_session=False)
    )
    return copy_rows(session, RedshiftScan.__tablename__, _COLUMNS, rows)


def ids_by_row(session: Session, pool_id: int) -> dict[int, int]:
    """Row in the arrays to the id of the object that has it, of those with spectra."""
    found = read_integers(
        session,
        select(SkyObject.row, SkyObject.id).where(
            SkyObject.pool_id == pool_id, SkyObject.has_spectrum
        ),
    )
    return dict(zip(found["row"].tolist(), found["id"].tolist(), strict=True))


def _waiting() -> dict[str, Any]:  # Any: SQL and values
    return {
        "state": ScanState.PLANNED,
        "attempts": 0,
        "worker": null(),
        "heartbeat_at": null(),
        "finished_at": null(),
        "progress": 0.0,
        "rung_at": func.clock_timestamp() - LONG_AGO,
    }


def _change(
    session: Session,
    pool_id: int,
    fence: int,
    **values: Any,  # SQL and values
) -> bool:
    changed = session.scalar(
        update(PoolScan)
        .where(_held(pool_id, fence))
        .values(**values)
        .returning(PoolScan.pool_id)
        .execution_options(synchronize_session=False)
    )
    return changed is not None


def _stale(stale_after: timedelta) -> ColumnElement[bool]:
    return and_(
        PoolScan.state == ScanState.RUNNING,
        PoolScan.heartbeat_at < func.clock_timestamp() - stale_after,
    )


def _held(pool_id: int, fence: int) -> ColumnElement[bool]:
    return and_(
        PoolScan.pool_id == pool_id,
        PoolScan.fence == fence,
        PoolScan.state == ScanState.RUNNING,
    )
