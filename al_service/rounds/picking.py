"""What a batch consists of: which slots are random, who fills the others."""

from dataclasses import dataclass, replace
from functools import cached_property

from sqlalchemy.orm import Session

from al_service.randomness import unit_hash
from db.repositories import candidates, queue
from db.repositories.leases import Opened
from db.repositories.queue import StoredItem
from db.tables import Campaign
from db.vocabulary import Reason, Split


@dataclass(frozen=True)
class Order:
    """An ask that is being carried out."""

    session: Session
    campaign: Campaign
    lease: Opened
    labeler: str
    size: int

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
    evaluation: tuple[int, ...] = ()
    overlap: tuple[int, ...] = ()
    ranked: tuple[int, ...] = ()
    rest: tuple[int, ...] = ()
    """Of the smallest random keys, where the ranking ran dry."""

    @property
    def all(self) -> tuple[int, ...]:
        """Every locked candidate: the random ones first."""
        return (
            *self.random,
            *self.evaluation,
            *self.overlap,
            *self.ranked,
            *self.rest,
        )


def pick(order: Order) -> Picked:
    """Lock what the batch consists of; random slots choose before all others."""
    random = queue.lock_smallest_keys(
        order.session, order.campaign.id, Split.POOL, count=len(order.random_slots)
    )
    return pick_more(order, Picked(random=tuple(random)))


def pick_more(order: Order, picked: Picked) -> Picked:
    """Fill a batch: what examines, second opinions, the ranking, the random sample."""
    session, campaign = order.session, order.campaign
    if campaign.evaluation_size > 0:
        evaluation = queue.lock_smallest_keys(
            session,
            campaign.id,
            Split.EVALUATION,
            count=order.size - len(picked.all),
            besides=picked.all,
        )
        picked = replace(picked, evaluation=(*picked.evaluation, *evaluation))
    if campaign.overlap > 1:
        overlap = queue.lock_second_opinions(
            session,
            campaign.id,
            order.labeler,
            count=order.size - len(picked.all),
            besides=picked.all,
        )
        picked = replace(picked, overlap=(*picked.overlap, *overlap))
    ranked = queue.lock_best_ranked(
        session,
        campaign.id,
        order.lease.run_id,
        count=order.size - len(picked.all),
        besides=picked.all,
    )
    picked = replace(picked, ranked=(*picked.ranked, *ranked))
    rest = queue.lock_smallest_keys(
        session,
        campaign.id,
        Split.POOL,
        count=order.size - len(picked.all),
        besides=picked.all,
    )
    return replace(picked, rest=(*picked.rest, *rest))


def hand_out(order: Order, picked: Picked) -> list[StoredItem]:
    """Lease the locked rows themselves, and note what was handed out and why."""
    if not picked.all:
        return []
    reasons: dict[int, str] = {
        **dict.fromkeys(picked.ranked, order.lease.ranked_by),
        **dict.fromkeys(picked.evaluation, Reason.EVALUATION.value),
        **dict.fromkeys(picked.overlap, Reason.OVERLAP.value),
        **dict.fromkeys((*picked.random, *picked.rest), Reason.RANDOM.value),
    }
    places = list(picked.all[len(picked.random) :])
    for slot, candidate in zip(order.random_slots, picked.random, strict=False):
        places.insert(slot, candidate)
    items = queue.take(
        order.session,
        order.lease.id,
        order.labeler,
        run_id=order.lease.run_id,
        candidate_ids=places,
        reasons=[reasons[candidate] for candidate in places],
    )
    if order.campaign.overlap > 1:
        candidates.open_opinions(order.session, order.campaign.id, order.lease.id)
    return items
