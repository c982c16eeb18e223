"""Pools and their objects: written once, published by one UPDATE."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from db.repositories.copying import copy_rows
from db.tables import Pool, SkyObject
from db.vocabulary import PoolState, Split

_OBJECT_COLUMNS = (
    "pool_id",
    "object_id",
    "group_id",
    "ra",
    "dec",
    "row",
    "has_photometry",
    "has_image",
    "has_spectrum",
    "split",
)


@dataclass(frozen=True)
class NewObject:
    """One object of a pool that is being filled."""

    object_id: str
    group_id: str
    ra: float
    dec: float
    row: int
    has_photometry: bool
    has_image: bool
    has_spectrum: bool
    split: Split


def start_import(
    session: Session,
    name: str,
    *,
    seed: int,
    arrays: str,
    modalities: Sequence[str],
    known_targets: Sequence[str],
) -> int | None:
    """Take a name for a pool that is to be filled.

    Waits for another transaction that is taking the same name.

    Returns:
        The invisible pool's id, or None where the name is taken.
    """
    return session.scalar(
        insert(Pool)
        .values(
            name=name,
            state=PoolState.IMPORTING,
            seed=seed,
            arrays=arrays,
            modalities=list(modalities),
            known_targets=list(known_targets),
        )
        .on_conflict_do_nothing(index_elements=[Pool.name])
        .returning(Pool.id)
    )


def copy_objects(session: Session, pool_id: int, objects: Iterable[NewObject]) -> int:
    """Fill a pool; answers how many objects were written."""
    return copy_rows(
        session,
        SkyObject.__tablename__,
        _OBJECT_COLUMNS,
        (
            (
                pool_id,
                one.object_id,
                one.group_id,
                one.ra,
                one.dec,
                one.row,
                one.has_photometry,
                one.has_image,
                one.has_spectrum,
                one.split.value,
            )
            for one in objects
        ),
    )


def publish(
    session: Session, pool_id: int, *, manifest_digest: str, n_objects: int
) -> bool:
    """Make a filled pool visible; False where it already was."""
    published = session.scalar(
        update(Pool)
        .where(Pool.id == pool_id, Pool.state == PoolState.IMPORTING)
        .values(
            state=PoolState.READY,
            manifest_digest=manifest_digest,
            n_objects=n_objects,
            published_at=func.now(),
        )
        .returning(Pool.id)
    )
    return published is not None


def list_visible(session: Session) -> list[Pool]:
    """Every pool that campaigns may use, by name."""
    return list(
        session.scalars(
            select(Pool).where(Pool.state == PoolState.READY).order_by(Pool.name)
        )
    )


def find_visible(session: Session, name: str) -> Pool | None:
    """The pool of a name, unless it is still being filled."""
    return session.scalar(
        select(Pool).where(Pool.name == name, Pool.state == PoolState.READY)
    )


def find_by_id(session: Session, pool_id: int) -> Pool | None:
    """The pool of an id, visible or not."""
    return session.get(Pool, pool_id)
