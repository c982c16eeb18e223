"""Campaigns: found by name or number, listed, changed."""

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from db.tables import Campaign, Pool
from db.vocabulary import CampaignState

# `ix_candidate_free_by_key`, `ix_candidate_free_opinions`; what other transactions
# have locked and may yet give back counts as free.
_HAS_FREE = text(
    """
    SELECT EXISTS (
        SELECT FROM candidate
        WHERE campaign_id = :campaign_id AND state = 'free' AND slot = 0
    ) OR EXISTS (
        SELECT FROM candidate
        WHERE campaign_id = :campaign_id AND state = 'free' AND slot > 0
          AND NOT EXISTS (
            SELECT FROM candidate AS other
            WHERE other.campaign_id = :campaign_id
              AND other.sky_object_id = candidate.sky_object_id
              AND other.labeler = :labeler))
    """
)


def add(session: Session, campaign: Campaign) -> Campaign:
    """Store a new campaign, with its number."""
    session.add(campaign)
    session.flush()
    return campaign


def by_id(session: Session, campaign_id: int) -> Campaign | None:
    """The campaign of a number."""
    return session.get(Campaign, campaign_id)


def by_name(session: Session, name: str) -> Campaign | None:
    """The campaign of a name."""
    return session.scalar(select(Campaign).where(Campaign.name == name))


def fresh(session: Session, campaign: Campaign) -> Campaign:
    """The campaign as it stands now, whichever session it was read in before."""
    return session.get_one(Campaign, campaign.id, populate_existing=True)


def pool_of(session: Session, campaign: Campaign) -> Pool:
    """The pool that a campaign asks from."""
    return session.get_one(Pool, campaign.pool_id)


def page(session: Session, *, after: int, limit: int) -> list[Campaign]:
    """Campaigns by number."""
    return list(
        session.scalars(
            select(Campaign)
            .where(Campaign.id > after)
            .order_by(Campaign.id)
            .limit(limit)
        )
    )


def active(session: Session) -> list[Campaign]:
    """Every campaign that plans runs, by number."""
    return list(
        session.scalars(
            select(Campaign)
            .where(Campaign.state == CampaignState.ACTIVE)
            .order_by(Campaign.id)
        )
    )


def lock(session: Session, campaign_id: int) -> Campaign:
    """The campaign as it stands now, kept from other changes until the commit."""
    return session.scalars(
        select(Campaign)
        .where(Campaign.id == campaign_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one()


def has_free_candidate(session: Session, campaign_id: int, labeler: str) -> bool:
    """Whether anything is left that this labeler may be asked for."""
    facts = {"campaign_id": campaign_id, "labeler": labeler}
    return bool(session.scalar(_HAS_FREE, facts))


def served_run_id(session: Session, campaign_id: int) -> int | None:
    """The run whose ranking a campaign hands out; None before the first."""
    return session.scalar(
        select(Campaign.served_run_id).where(Campaign.id == campaign_id)
    )


def serve(session: Session, campaign_id: int, run_id: int) -> None:
    """Hand out another run's ranking from now on."""
    session.execute(
        update(Campaign)
        .where(Campaign.id == campaign_id)
        .values(served_run_id=run_id, updated_at=func.now())
        .execution_options(synchronize_session=False)
    )
