"""Pools and their objects: what there is to label."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, JsonList
from db.vocabulary import PoolState, Split


class Pool(Base):
    """A set of objects and the arrays that hold their data.

    A pool is filled while `importing` and becomes visible by one UPDATE.
    """

    __tablename__ = "pool"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    state: Mapped[PoolState] = mapped_column(default=PoolState.IMPORTING)
    seed: Mapped[int]
    arrays: Mapped[str]
    """Folder of the arrays, relative to the artifacts folder."""
    manifest_digest: Mapped[str | None]
    n_objects: Mapped[int] = mapped_column(default=0)
    modalities: Mapped[JsonList]
    """Which of `photometry, image, spectrum` any object has."""
    known_targets: Mapped[JsonList]
    """Targets with known labels in the arrays; empty where the pool brings none."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    published_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(
            "state <> 'ready' OR (manifest_digest IS NOT NULL AND n_objects > 0"
            " AND published_at IS NOT NULL)",
            name="ready_is_complete",
        ),
    )


class SkyObject(Base):
    """One object of a pool: a position, a galaxy it belongs to, a row in the arrays."""

    __tablename__ = "sky_object"

    id: Mapped[int] = mapped_column(primary_key=True)
    pool_id: Mapped[int] = mapped_column(ForeignKey("pool.id", ondelete="CASCADE"))
    object_id: Mapped[str]
    """Text: SDSS identifiers exceed 2^53, where a float64 starts to round."""
    group_id: Mapped[str]
    """The galaxy: repeat observations share it."""
    ra: Mapped[float]
    dec: Mapped[float]
    row: Mapped[int]
    has_photometry: Mapped[bool]
    has_image: Mapped[bool]
    has_spectrum: Mapped[bool]
    split: Mapped[Split]

    __table_args__ = (
        UniqueConstraint("pool_id", "object_id"),
        UniqueConstraint("pool_id", "row"),
        # Referred to by every table that may hold objects of certain splits only.
        UniqueConstraint("id", "split"),
        CheckConstraint("ra >= 0 AND ra < 360", name="ra_in_degrees"),
        CheckConstraint("dec BETWEEN -90 AND 90", name="dec_in_degrees"),
        CheckConstraint("object_id <> ''", name="object_id_not_empty"),
    )
