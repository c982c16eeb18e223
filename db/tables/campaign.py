"""Campaigns and their candidates: the queue that leasing walks."""

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, JsonList, JsonObject
from db.vocabulary import CampaignState, CandidateState, Split


class Campaign(Base):
    """One labeling effort on one pool: what is predicted, how, and what is asked."""

    __tablename__ = "campaign"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    pool_id: Mapped[int] = mapped_column(ForeignKey("pool.id"))
    state: Mapped[CampaignState] = mapped_column(default=CampaignState.ACTIVE)
    targets: Mapped[JsonList]
    model: Mapped[JsonObject]
    """`al_service.models.config.ModelConfig` as JSON, with its version."""
    strategy: Mapped[JsonObject]
    """`al_service.acquisition.strategies.StrategyConfig` as JSON, with its version."""
    retrain: Mapped[JsonObject]
    """`al_service.rounds.campaigns.RetrainPolicy` as JSON, with its version."""
    random_share: Mapped[float] = mapped_column(default=0.1)
    overlap: Mapped[int] = mapped_column(SmallInteger, default=1)
    budget: Mapped[int | None]
    evaluation_size: Mapped[int] = mapped_column(default=200)
    seed: Mapped[int] = mapped_column(default=0)
    served_run_id: Mapped[int | None] = mapped_column(
        ForeignKey("run.id", use_alter=True, name="fk_campaign_served_run_id_run")
    )
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), onupdate=func.now()
    )

    __table_args__ = (
        CheckConstraint("random_share BETWEEN 0 AND 1", name="random_share_is_a_share"),
        CheckConstraint("overlap BETWEEN 1 AND 9", name="overlap_is_small"),
        CheckConstraint("budget IS NULL OR budget >= 0", name="budget_not_negative"),
        CheckConstraint("evaluation_size >= 0", name="evaluation_size_not_negative"),
        CheckConstraint("jsonb_array_length(targets) > 0", name="has_targets"),
        CheckConstraint("name <> ''", name="name_not_empty"),
    )


class Candidate(Base):
    """An object in a campaign: the row that leasing locks *and* changes.

    `slot` is above 0 only where a campaign asks several labelers for one object: the
    row of the next opinion is created when the one before it is taken. As long as any
    opinion on an object is taken, its slot 0 is.
    """

    __tablename__ = "candidate"

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(
        ForeignKey("campaign.id", ondelete="CASCADE")
    )
    sky_object_id: Mapped[int]
    split: Mapped[Split]
    slot: Mapped[int] = mapped_column(SmallInteger, default=0)
    random_key: Mapped[int]
    state: Mapped[CandidateState] = mapped_column(default=CandidateState.FREE)
    lease_id: Mapped[int | None] = mapped_column(ForeignKey("lease.id"))
    labeler: Mapped[str | None]

    __table_args__ = (
        ForeignKeyConstraint(
            ["sky_object_id", "split"], ["sky_object.id", "sky_object.split"]
        ),
        UniqueConstraint("campaign_id", "sky_object_id", "slot"),
        # One labeler gives one opinion on one object: the second line of defence
        # behind the locks of leasing.
        Index(
            "uq_candidate_one_opinion",
            "campaign_id",
            "sky_object_id",
            "labeler",
            unique=True,
            postgresql_where=text("labeler IS NOT NULL"),
        ),
        # Ask at random, and for the evaluation sample: smallest keys first.
        Index(
            "ix_candidate_free_by_key",
            "campaign_id",
            "split",
            "random_key",
            postgresql_where=text("state = 'free' AND slot = 0"),
        ),
        # Ask for second opinions.
        Index(
            "ix_candidate_free_opinions",
            "campaign_id",
            "random_key",
            "slot",
            postgresql_where=text("state = 'free' AND slot > 0"),
        ),
        # Budget and counts.
        Index(
            "ix_candidate_taken",
            "campaign_id",
            "state",
            postgresql_where=text("state <> 'free'"),
        ),
        # Give back, expire, answer: the rows of one lease.
        Index(
            "ix_candidate_lease_id",
            "lease_id",
            postgresql_where=text("lease_id IS NOT NULL"),
        ),
        CheckConstraint("split <> 'excluded'", name="excluded_is_never_asked_for"),
        CheckConstraint(
            "(state = 'leased') = (lease_id IS NOT NULL)", name="leased_by_a_lease"
        ),
        CheckConstraint(
            "(state = 'free') = (labeler IS NULL)", name="free_until_somebody_has_it"
        ),
        CheckConstraint("slot >= 0", name="slot_not_negative"),
    )
