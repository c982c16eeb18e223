"""What a batch consists of: which slots are random, who fills the others."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Protocol

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


class Lock(Protocol):
    """Locks free candidates of one kind."""

    def __call__(self, *, count: int, besides: Sequence[int]) -> list[int]:
        """At most so many, in the order of asking, none that is locked already."""


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
    random = queue.lock_smallest_keys(
        order.session, order.campaign.id, Split.POOL, count=len(order.random_slots)
    )
    return pick_more(order, Picked(random=tuple(random)))


def pick_more(order: Order, picked: Picked) -> Picked:
    """Fill a batch: what examines, second opinions, the ranking, the random sample."""
    for reason, lock in _sources(order):
        locked = lock(count=order.size - len(picked.all), besides=picked.all)
        found = ((candidate, reason) for candidate in locked)
        picked = replace(picked, others=(*picked.others, *found))
    return picked


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
        order.labeler,
        run_id=order.lease.run_id,
        candidate_ids=[candidate for candidate, _ in places],
        reasons=[reason for _, reason in places],
    )
    if order.campaign.overlap > 1:
        candidates.open_opinions(order.session, order.campaign.id, order.lease.id)
    return items


def _sources(order: Order) -> Iterator[tuple[str, Lock]]:
    """Where the slots that are not random are filled from, first choice first."""
    session, campaign, lease = order.session, order.campaign, order.lease
    smallest_keys = partial(queue.lock_smallest_keys, session, campaign.id)
    if campaign.evaluation_size > 0:
        yield Reason.EVALUATION, partial(smallest_keys, Split.EVALUATION)
    if campaign.overlap > 1:
        yield (
            Reason.OVERLAP,
            partial(queue.lock_second_opinions, session, campaign.id, order.labeler),
        )
    yield (
        lease.ranked_by,
        partial(queue.lock_best_ranked, session, campaign.id, lease.run_id),
    )
    yield Reason.RANDOM, partial(smallest_keys, Split.POOL)
