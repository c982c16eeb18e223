"""What a batch consists of: which slots are random, who fills the others."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from sqlalchemy.orm import Session

from al_service.randomness import unit_hash
from db.repositories import candidates, queue
from db.repositories.campaigns import BriefCampaign
from db.repositories.leases import Opened
from db.repositories.queue import Source, StoredItem, Walk
from db.tables import Campaign
from db.vocabulary import Reason

_REASONS: Final = {
    Source.EVALUATION: Reason.EVALUATION.value,
    Source.OPINIONS: Reason.OVERLAP.value,
    Source.RANDOM: Reason.RANDOM.value,
}


@dataclass(frozen=True)
class Order:
    """An ask that is being carried out."""

    session: Session
    campaign: Campaign | BriefCampaign
    lease: Opened
    labeler: str
    size: int

    @property
    def walk(self) -> Walk:
        """Whose order is walked, in which queue, by whom."""
        return Walk(self.campaign.id, self.labeler, self.lease.run_id)

    @cached_property
    def random_slots(self) -> list[int]:
        """The slots that are random: decided by a hash that anyone can check."""
        seed, share = self.campaign.seed, self.campaign.random_share
        return [
            slot
            for slot in range(self.size)
            if unit_hash(seed, self.lease.id, slot) < share
        ]


@dataclass(frozen=True)
class Picked:
    """Candidates locked for a batch, in its order."""

    random: tuple[int, ...] = ()
    """Of the smallest random keys, for slots that are random."""
    others: tuple[tuple[int, str], ...] = ()
    """For all other slots, with the reason."""

    @property
    def all(self) -> tuple[int, ...]:
        """Every locked candidate: the random ones first."""
        return (*self.random, *(candidate for candidate, _ in self.others))


def pick(order: Order) -> Picked:
    """Lock what the batch consists of; random slots choose before all others."""
    return pick_more(order, Picked())


def pick_more(order: Order, picked: Picked) -> Picked:
    """Fill a batch: what examines, second opinions, the ranking, the random sample."""
    locked = queue.lock(
        order.session,
        order.walk,
        _sources(order),
        size=order.size,
        random_slots=len(order.random_slots) - len(picked.random),
        besides=picked.all,
    )
    reasons = _REASONS | {Source.RANKED: order.lease.ranked_by}
    random = [one for one, source in locked if source is Source.RANDOM_SLOTS]
    others = [
        (one, reasons[source])
        for one, source in locked
        if source is not Source.RANDOM_SLOTS
    ]
    return Picked((*picked.random, *random), (*picked.others, *others))


def hand_out(order: Order, picked: Picked) -> list[StoredItem]:
    """Lease the locked rows themselves, and note what was handed out and why."""
    if not picked.all:
        return []
    places = list(picked.others)
    for slot, candidate in zip(order.random_slots, picked.random, strict=False):
        places.insert(slot, (candidate, Reason.RANDOM))
    items = queue.take(
        order.session,
        order.lease.id,
        order.walk,
        candidate_ids=[candidate for candidate, _ in places],
        reasons=[reason for _, reason in places],
    )
    if order.campaign.overlap > 1:
        candidates.open_opinions(order.session, order.campaign.id, order.lease.id)
    return items


def _sources(order: Order) -> tuple[Source, ...]:
    """Where a batch is filled from, first choice first."""
    wanted = {
        Source.RANDOM_SLOTS: bool(order.random_slots),
        Source.EVALUATION: order.campaign.evaluation_size > 0,
        Source.OPINIONS: order.campaign.overlap > 1,
        Source.RANKED: order.lease.run_id is not None,
        Source.RANDOM: True,
    }
    return tuple(source for source, is_wanted in wanted.items() if is_wanted)
