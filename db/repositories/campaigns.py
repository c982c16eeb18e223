"""Campaigns: found by name or number, listed, changed."""

from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from db.repositories.driver import fetch_one
from db.tables import Campaign, Pool
from db.vocabulary import CampaignState

_BRIEF = """
SELECT id, name, overlap, budget, random_share, evaluation_size, seed
FROM campaign WHERE id = %(number)s OR name = %(name)s
"""


@dataclass(frozen=True)
class BriefCampaign:
    """A campaign as far as an ask has to know it: without its configuration."""

    id: int
    name: str
    overlap: int
    budget: int | None
    random_share: float
    evaluation_size: int
    seed: int


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


def briefly(
    session: Session, *, number: int | None = None, name: str | None = None
) -> BriefCampaign | None:
    """What an ask has to know of the campaign of a number or of a name."""
    row = fetch_one(session, _BRIEF, {"number": number, "name": name})
    return None if row is None else BriefCampaign(*row)


def fresh(session: Session, campaign: Campaign) -> Campaign:
    """The campaign as it stands now, whichever session it was read in before."""
    return session.get_one(Campaign, campaign.id, populate_existing=True)


def state_of(session: Session, campaign_id: int) -> CampaignState:
    """Where the campaign stands at this moment."""
    return session.scalars(
        select(Campaign.state).where(Campaign.id == campaign_id)
    ).one()


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


def active_ids(session: Session) -> list[int]:
    """The number of every campaign that plans runs, ascending."""
    return list(
        session.scalars(
            select(Campaign.id)
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
