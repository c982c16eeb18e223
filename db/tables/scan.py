"""The redshift scan of a pool's spectra: who works on it, and what it found."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, func
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base
from db.vocabulary import ScanState


class PoolScan(Base):
    """The scan of one pool: claimed, beaten and fenced as a run is.

    A pool without a row was not looked at yet. No row is locked for long: a sweep reads
    all of them.
    """

    __tablename__ = "pool_scan"

    pool_id: Mapped[int] = mapped_column(
        ForeignKey("pool.id", ondelete="CASCADE"), primary_key=True
    )
    version: Mapped[int]
    """Of the scan: what an older one found is replaced."""
    state: Mapped[ScanState] = mapped_column(default=ScanState.PLANNED)
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    fence: Mapped[int] = mapped_column(default=0, server_default="0")
    """Counts claims: only the holder of the newest may publish."""
    worker: Mapped[str | None]
    heartbeat_at: Mapped[datetime | None]
    progress: Mapped[float] = mapped_column(default=0.0, server_default="0")
    message: Mapped[str | None]
    """What went wrong at the last attempt."""
    rung_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """When a worker was last told of it: a lost message is sent again later."""
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("version >= 1", name="version_positive"),
        CheckConstraint("attempts >= 0", name="attempts_not_negative"),
        CheckConstraint("progress BETWEEN 0 AND 1", name="progress_is_a_share"),
        CheckConstraint(
            "state <> 'running' OR (heartbeat_at IS NOT NULL AND worker IS NOT NULL)",
            name="running_has_a_heartbeat",
        ),
        CheckConstraint(
            "(state IN ('planned', 'running')) = (finished_at IS NULL)",
            name="live_until_finished",
        ),
        CheckConstraint(
            "state <> 'failed' OR message IS NOT NULL", name="failure_has_a_reason"
        ),
    )


class RedshiftScan(Base):
    """What the scan says of one object; none where it found no candidate."""

    __tablename__ = "redshift_scan"

    sky_object_id: Mapped[int] = mapped_column(
        ForeignKey("sky_object.id", ondelete="CASCADE"), primary_key=True
    )
    z: Mapped[float]
    """Of the best candidate."""
    z_error: Mapped[float]
    """Its standard deviation, if the candidate is right."""
    confidence: Mapped[float]
    """Probability that z is right."""
    gain: Mapped[float]
    """Fall of chi^2."""
    spectral_class: Mapped[str]

    __table_args__ = (
        CheckConstraint("z > -1 AND z < 100", name="z_is_a_redshift"),
        CheckConstraint("z_error > 0 AND z_error < 100", name="z_error_positive"),
        CheckConstraint("confidence BETWEEN 0 AND 1", name="confidence_is_a_share"),
        CheckConstraint("gain >= 0 AND gain < 'Infinity'", name="gain_not_negative"),
        CheckConstraint(
            "spectral_class IN ('GALAXY', 'QSO', 'STAR')", name="spectral_class_known"
        ),
    )
