"""Leases (query batches) and what was handed out in them."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, JsonObject
from db.vocabulary import LeaseState


class Lease(Base):
    """A batch of objects reserved for one labeler until `expires_at`."""

    __tablename__ = "lease"

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(
        ForeignKey("campaign.id", ondelete="CASCADE")
    )
    labeler: Mapped[str]
    state: Mapped[LeaseState] = mapped_column(default=LeaseState.OPEN)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"))
    """The run whose ranking was walked; none before the first."""
    exhausted: Mapped[bool] = mapped_column(default=False)
    opened_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("expires_at > opened_at", name="expires_later"),
        CheckConstraint(
            "(state = 'open') = (closed_at IS NULL)", name="open_until_closed"
        ),
        # The sweep looks for open leases whose time is over.
        Index(
            "ix_lease_open_by_expiry",
            "expires_at",
            postgresql_where=text("state = 'open'"),
        ),
        Index("ix_lease_campaign_id", "campaign_id", "id"),
    )


class LeaseItem(Base):
    """One handed-out object, with the reason: never changed afterwards."""

    __tablename__ = "lease_item"

    lease_id: Mapped[int] = mapped_column(
        ForeignKey("lease.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    candidate_id: Mapped[int] = mapped_column(
        ForeignKey("candidate.id", ondelete="CASCADE")
    )
    rank: Mapped[int | None]
    score: Mapped[float | None]
    reason: Mapped[str]
    prediction: Mapped[JsonObject | None]
    """What the model said when the object was handed out."""

    __table_args__ = (
        UniqueConstraint("lease_id", "candidate_id"),
        # How was this object chosen? And: the random sample so far.
        Index("ix_lease_item_candidate_id", "candidate_id"),
    )
