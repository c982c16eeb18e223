"""Asking: the next objects of a campaign, reserved for one labeler."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from al_service.errors import (
    BudgetSpent,
    CampaignNotActive,
    InvalidInput,
    LeaseClosed,
    NotAllowed,
    NotFound,
)
from al_service.rounds.picking import Order, hand_out, pick, pick_more
from db.base import JsonObject
from db.repositories import campaigns, candidates, leases, locks, queue, rankings
from db.repositories.campaigns import BriefCampaign
from db.tables import Campaign
from db.vocabulary import LeaseState

LEASE_SECONDS: Final = 24 * 3600.0
"""A night at the telescope and the morning's reductions."""

LONGEST_LEASE_SECONDS: Final = 90 * 24 * 3600.0
"""A season: longer reservations are forgotten ones."""

LARGEST_BATCH: Final = 10_000
"""More than any spectrograph has fibers for: one ask stays one short transaction."""

SWEEP_LIMIT: Final = 1000
"""Leases closed in one transaction: locks are held for moments only."""


@dataclass(frozen=True)
class BatchItem:
    """One object to label."""

    object_id: str
    ra: float
    dec: float
    rank: int | None
    """Place in the strategy's order, where it has one."""
    reason: str
    score: float | None
    prediction: JsonObject | None
    held: bool
    """Whether the batch still reserves it: neither labeled nor lost."""


@dataclass(frozen=True)
class Batch:
    """Objects reserved for one labeler until `expires_at`."""

    id: int
    campaign_id: int
    campaign: str
    labeler: str
    state: LeaseState
    opened_at: datetime
    expires_at: datetime
    run_id: int | None
    """The run whose ranking was walked; None before the first."""
    exhausted: bool
    """Whether the pool has ended for this labeler."""
    items: tuple[BatchItem, ...]


def ask(
    session: Session,
    campaign: Campaign | BriefCampaign,
    *,
    labeler: str,
    size: int,
    lease_seconds: float | None = None,
) -> Batch:
    """Reserve the next objects for a labeler.

    A campaign that is paused at this very moment may give one more batch.

    Args:
        session: the caller commits.
        campaign: which campaign.
        labeler: who asks.
        size: how many objects.
        lease_seconds: how long they stay reserved; `LEASE_SECONDS` without it.

    Returns:
        Fewer objects, or none, and `exhausted` where the pool ends. Fewer as well
        where the budget ends, or where others ask at this moment for the last ones.

    Raises:
        CampaignNotActive: it is paused or finished.
        BudgetSpent: everything that it may ask for was asked for.
    """
    duration = _duration(lease_seconds)
    if not 1 <= size <= LARGEST_BATCH:
        raise InvalidInput(f"size: expected 1 to {LARGEST_BATCH}, found {size}")
    if campaign.overlap > 1:
        locks.hold_opinions(session, campaign.id)
    opened = leases.open_lease(session, campaign.id, labeler=labeler, duration=duration)
    if opened is None:
        raise CampaignNotActive(campaign.name, campaigns.state_of(session, campaign.id))
    allowed = _allowed(session, campaign, size)
    order = Order(session, campaign, opened, labeler, allowed)
    picked = pick(order)
    if len(picked.all) < allowed and _expire(session, campaign_id=campaign.id):
        picked = pick_more(order, picked)
    items = tuple(BatchItem(**vars(item)) for item in hand_out(order, picked))
    exhausted = len(items) < allowed and not queue.has_free_candidate(
        session, campaign.id, labeler
    )
    if exhausted:
        leases.mark_exhausted(session, opened.id)
    return Batch(
        id=opened.id,
        campaign_id=campaign.id,
        campaign=campaign.name,
        labeler=labeler,
        state=LeaseState.OPEN,
        opened_at=opened.opened_at,
        expires_at=opened.expires_at,
        run_id=opened.run_id,
        exhausted=exhausted,
        items=items,
    )


def show(session: Session, lease_id: int) -> Batch:
    """A batch as it stands now.

    Raises:
        NotFound: there is none of this number.
    """
    lease = leases.find(session, lease_id)
    if lease is None:
        raise NotFound("batch", lease_id)
    campaign = campaigns.by_id(session, lease.campaign_id)
    items = tuple(
        BatchItem(**vars(item)) for item in leases.items_of(session, lease_id)
    )
    return Batch(
        id=lease.id,
        campaign_id=lease.campaign_id,
        campaign="" if campaign is None else campaign.name,
        labeler=lease.labeler,
        state=lease.state,
        opened_at=lease.opened_at,
        expires_at=lease.expires_at,
        run_id=lease.run_id,
        exhausted=lease.exhausted,
        items=items,
    )


def check_holder(session: Session, lease_id: int, labeler: str) -> None:
    """Refuse anybody but the labeler for whom a batch is reserved.

    Raises:
        NotFound: there is none of this number.
        NotAllowed: it is somebody else's.
    """
    lease = leases.find(session, lease_id)
    if lease is None:
        raise NotFound("batch", lease_id)
    if lease.labeler != labeler:
        raise NotAllowed(
            f"batch {lease_id} is reserved for {lease.labeler!r}: only they and admins"
            " may change it"
        )


def renew(
    session: Session, lease_id: int, *, lease_seconds: float | None = None
) -> datetime:
    """Reserve a batch for longer, from now on.

    Returns:
        When it expires now.

    Raises:
        NotFound: there is none of this number.
        LeaseClosed: its time is over, or it was labeled or given back.
    """
    extended = leases.extend(session, lease_id, _duration(lease_seconds))
    lease = leases.find(session, lease_id)
    if lease is None:
        raise NotFound("batch", lease_id)
    if not extended:
        state = LeaseState.EXPIRED if lease.state is LeaseState.OPEN else lease.state
        raise LeaseClosed(lease_id, state)
    return lease.expires_at


def release(session: Session, lease_id: int) -> int:
    """Give a batch back: what was not labeled is free again.

    Returns:
        How many objects that are.

    Raises:
        NotFound: there is none of this number.
        LeaseClosed: it is not open any more.
    """
    lease = leases.find(session, lease_id)
    if lease is None:
        raise NotFound("batch", lease_id)
    _take_turn(session, lease.campaign_id)
    if not leases.close(session, lease_id, LeaseState.RELEASED):
        lease = leases.find(session, lease_id) or lease
        raise LeaseClosed(lease_id, lease.state)
    return _free(session, lease.campaign_id, [lease_id])


def expire(session: Session) -> int:
    """Close every lease whose time is over; its unlabeled objects are free again.

    Returns:
        How many leases were closed.
    """
    return _expire(session, campaign_id=None)


def _expire(session: Session, *, campaign_id: int | None) -> int:
    closed = 0
    for of_campaign, ids in leases.find_expired(
        session, campaign_id=campaign_id, limit=SWEEP_LIMIT
    ).items():
        _take_turn(session, of_campaign)
        due = leases.lock_expired(session, ids)
        for lease_id in due:
            closed += leases.close(session, lease_id, LeaseState.EXPIRED)
        _free(session, of_campaign, due)
    return closed


def _take_turn(session: Session, campaign_id: int) -> None:
    campaign = campaigns.by_id(session, campaign_id)
    if campaign is not None and campaign.overlap > 1:
        locks.hold_opinions(session, campaign_id)


def _free(session: Session, campaign_id: int, lease_ids: list[int]) -> int:
    if not lease_ids:
        return 0
    freed = candidates.give_back(session, lease_ids)
    campaign = campaigns.by_id(session, campaign_id)
    if campaign is not None and campaign.overlap > 1:
        candidates.reorder_opinions(session, freed)
    rankings.restore_places(session, freed)
    return len(freed)


def _duration(lease_seconds: float | None) -> timedelta:
    seconds = LEASE_SECONDS if lease_seconds is None else lease_seconds
    if not 0 < seconds <= LONGEST_LEASE_SECONDS:
        raise InvalidInput(
            f"lease_seconds: expected more than 0 and at most"
            f" {LONGEST_LEASE_SECONDS:.0f}, found {seconds}"
        )
    return timedelta(seconds=seconds)


def _allowed(session: Session, campaign: Campaign | BriefCampaign, size: int) -> int:
    """How many of `size` objects the budget allows; asks take turns where it counts."""
    if campaign.budget is None:
        return size
    budget = campaigns.lock(session, campaign.id).budget
    if budget is None:
        return size
    left = budget - candidates.count_taken(session, campaign.id)
    # What was handed out and never labeled comes back, as soon as its time is over.
    if left < size and _expire(session, campaign_id=campaign.id):
        left = budget - candidates.count_taken(session, campaign.id)
    if left <= 0:
        raise BudgetSpent(campaign.name, budget)
    return min(size, left)
