"""Runs: every background job is a row, claimed, beaten, fenced, published."""

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, JsonObject
from db.vocabulary import Arm, RunKind, RunState, Split, TrainingRole


class Run(Base):
    """One attempt to learn something: its frozen labels, its progress, its result."""

    __tablename__ = "run"

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(
        ForeignKey("campaign.id", ondelete="CASCADE")
    )
    kind: Mapped[RunKind]
    state: Mapped[RunState] = mapped_column(default=RunState.PLANNED)
    n_labels: Mapped[int]
    """Labeled objects frozen into the run when it was planned."""
    label_digest: Mapped[str]
    """Digest of the labels that the network saw."""
    head_digest: Mapped[str | None]
    """Digest of the labels that the published last layer knows."""
    config_digest: Mapped[str]
    seed: Mapped[int]
    base_run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"))
    """The full run whose network and cached features a head run uses."""
    attempts: Mapped[int] = mapped_column(default=0)
    fence: Mapped[int] = mapped_column(default=0)
    """Counts claims: only the holder of the newest may publish."""
    worker: Mapped[str | None]
    heartbeat_at: Mapped[datetime | None]
    deadline_at: Mapped[datetime | None]
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    progress: Mapped[float] = mapped_column(default=0.0)
    message: Mapped[str | None]
    metrics: Mapped[JsonObject | None]
    checkpoint_digest: Mapped[str | None]
    ranked_by: Mapped[str | None]
    """Why objects of this run's ranking are asked for: the strategy's name."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    rung_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """When a worker was last told of it: a lost message is sent again later."""

    __table_args__ = (
        # One live run per campaign and kind: planning coalesces on it.
        Index(
            "uq_run_one_live",
            "campaign_id",
            "kind",
            unique=True,
            postgresql_where=text("state IN ('planned', 'running')"),
        ),
        # The sweep looks for work to ring for and for stale heartbeats.
        Index(
            "ix_run_live",
            "state",
            "heartbeat_at",
            postgresql_where=text("state IN ('planned', 'running')"),
        ),
        Index("ix_run_campaign_id", "campaign_id", "id"),
        # What the newest finished run of a kind knew.
        Index("ix_run_finished", "campaign_id", "kind", "finished_at"),
        CheckConstraint("n_labels >= 0", name="n_labels_not_negative"),
        CheckConstraint(
            "state <> 'running' OR (heartbeat_at IS NOT NULL AND worker IS NOT NULL"
            " AND started_at IS NOT NULL AND deadline_at IS NOT NULL)",
            name="running_has_a_heartbeat",
        ),
        CheckConstraint(
            "(state IN ('planned', 'running')) = (finished_at IS NULL)",
            name="live_until_finished",
        ),
        CheckConstraint("progress BETWEEN 0 AND 1", name="progress_is_a_share"),
        CheckConstraint(
            "kind <> 'head' OR base_run_id IS NOT NULL", name="a_head_needs_a_network"
        ),
    )


class TrainingLabel(Base):
    """A label in a run's frozen set; objects outside the pool split cannot enter."""

    __tablename__ = "training_label"

    run_id: Mapped[int] = mapped_column(
        ForeignKey("run.id", ondelete="CASCADE"), primary_key=True
    )
    role: Mapped[TrainingRole] = mapped_column(primary_key=True)
    label_id: Mapped[int] = mapped_column(primary_key=True)
    sky_object_id: Mapped[int]
    split: Mapped[Split]

    __table_args__ = (
        # The label's own object and split: no other pool object can stand in for it.
        ForeignKeyConstraint(
            ["label_id", "sky_object_id", "split"],
            ["label.id", "label.sky_object_id", "label.split"],
            ondelete="CASCADE",
        ),
        CheckConstraint("split = 'pool'", name="only_the_pool_trains"),
    )


class CurvePoint(Base):
    """One metric of one arm of one run, with its bootstrap interval."""

    __tablename__ = "curve_point"

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"))
    arm: Mapped[Arm]
    target: Mapped[str]
    metric: Mapped[str]
    n_labels: Mapped[int]
    n_evaluation: Mapped[int]
    value: Mapped[float]
    low: Mapped[float | None]
    high: Mapped[float | None]

    __table_args__ = (UniqueConstraint("run_id", "arm", "target", "metric"),)


class RankedObject(Base):
    """A place in the order that a run gives to the queue of its campaign.

    An ask walks the places of the served run and deletes those that it hands out, so
    that the next one starts where it ended. Rows of a new run are nobody's business
    until the campaign serves it: publishing locks nobody out.
    """

    __tablename__ = "ranked_object"

    run_id: Mapped[int] = mapped_column(
        ForeignKey("run.id", ondelete="CASCADE"), primary_key=True
    )
    rank: Mapped[int] = mapped_column(primary_key=True)
    """From 0, best first; walked by the primary key's index."""
    sky_object_id: Mapped[int]
    split: Mapped[Split] = mapped_column(default=Split.POOL)
    score: Mapped[float]

    __table_args__ = (
        # What was handed out or labeled loses its place.
        UniqueConstraint("run_id", "sky_object_id"),
        ForeignKeyConstraint(
            ["sky_object_id", "split"], ["sky_object.id", "sky_object.split"]
        ),
        CheckConstraint("split = 'pool'", name="only_the_pool_is_ranked"),
        CheckConstraint("rank >= 0", name="rank_not_negative"),
    )


class Prediction(Base):
    """What the served run says of an object that may be handed out or looked at."""

    __tablename__ = "prediction"

    campaign_id: Mapped[int] = mapped_column(
        ForeignKey("campaign.id", ondelete="CASCADE"), primary_key=True
    )
    sky_object_id: Mapped[int] = mapped_column(
        ForeignKey("sky_object.id", ondelete="CASCADE"), primary_key=True
    )
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"))
    score: Mapped[float]
    """Summed noise-normalized epistemic variance."""
    targets: Mapped[JsonObject]
    """target → {mean, epistemic, aleatoric, interval90, calibrated, spectrum_saves}."""

    __table_args__ = (
        # Browse by score.
        Index("ix_prediction_score", "campaign_id", text("score DESC")),
    )
