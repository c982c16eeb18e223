"""Labels: append-only; a correction names what it supersedes."""

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    FetchedValue,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, JsonObject
from db.vocabulary import Split


class Label(Base):
    """What somebody measured on one object.

    A trigger (see the migrations) retires the object's candidate, so that a label
    written by any program counts; another refuses every UPDATE and DELETE.
    """

    __tablename__ = "label"

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(
        ForeignKey("campaign.id", ondelete="CASCADE")
    )
    sky_object_id: Mapped[int]
    split: Mapped[Split] = mapped_column(server_default=FetchedValue())
    """The object's; a trigger fills it in where a program leaves it out."""
    values: Mapped[JsonObject]
    """Target name → value; empty where the object cannot be labeled."""
    errors: Mapped[JsonObject] = mapped_column(default=dict, server_default="{}")
    """Target name → standard deviation, in the target's unit."""
    quality: Mapped[int] = mapped_column(SmallInteger, default=4, server_default="4")
    """0 nothing there … 4 confident (DESI visual inspection); 3 and 4 train."""
    labeler: Mapped[str]
    source: Mapped[str] = mapped_column(server_default="api")
    note: Mapped[str | None]
    lease_id: Mapped[int | None] = mapped_column(ForeignKey("lease.id"))
    late: Mapped[bool] = mapped_column(default=False, server_default="false")
    """Told for a batch that did not reserve the object for the labeler: after its time,
    or somebody else's batch. Kept, and flagged."""
    supersedes_id: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        ForeignKeyConstraint(
            ["sky_object_id", "split"], ["sky_object.id", "sky_object.split"]
        ),
        # A correction is about the same object of the same campaign.
        UniqueConstraint("id", "campaign_id", "sky_object_id"),
        # A run's frozen set refers to it: only labels of the pool split train.
        UniqueConstraint("id", "sky_object_id", "split"),
        ForeignKeyConstraint(
            ["supersedes_id", "campaign_id", "sky_object_id"],
            ["label.id", "label.campaign_id", "label.sky_object_id"],
            name="fk_label_supersedes_same_object",
        ),
        # A label is corrected once; a correction of a correction names the latter.
        UniqueConstraint("supersedes_id"),
        # One labeler gives one opinion on one object; what follows are corrections.
        Index(
            "uq_label_one_opinion",
            "campaign_id",
            "sky_object_id",
            "labeler",
            unique=True,
            postgresql_where=text("supersedes_id IS NULL"),
        ),
        CheckConstraint("split <> 'excluded'", name="excluded_is_never_labeled"),
        CheckConstraint("quality BETWEEN 0 AND 4", name="quality_0_to_4"),
        CheckConstraint("jsonb_typeof(values) = 'object'", name="values_by_target"),
        CheckConstraint("jsonb_typeof(errors) = 'object'", name="errors_by_target"),
        CheckConstraint(
            "values <> '{}'::jsonb OR quality = 0", name="no_values_no_quality"
        ),
        CheckConstraint("supersedes_id <> id", name="supersedes_another"),
        # History by campaign, current labels, labels of one object.
        Index("ix_label_campaign_id", "campaign_id", "id"),
        Index("ix_label_object", "campaign_id", "sky_object_id"),
    )
