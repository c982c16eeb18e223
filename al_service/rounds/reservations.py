"""How far batches reserve objects at the moment in which they are labeled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from db.repositories import leases


@dataclass(frozen=True)
class Reservations:
    """How far the batches that labels answer reserve their objects."""

    batch_of: Mapping[int, int]
    """Object to the batch that its label answers; absent where it answers none."""
    in_time: frozenset[int]
    """Objects that this very batch reserves for the labeler, its time not over."""


def lock_reservations(
    session: Session,
    campaign_id: int,
    *,
    labeler: str,
    objects: Sequence[int],
    batch_id: int | None,
) -> Reservations:
    """Lock the leases that hold objects, and look whose they are.

    Args:
        session: its transaction holds the locks.
        campaign_id: of the objects.
        labeler: who tells.
        objects: that are told of.
        batch_id: the batch that all labels answer; None: each its own, if any.
    """
    own = [
        holding
        for holding in leases.lock_holders(session, campaign_id, objects)
        if holding.labeler == labeler
    ]
    batch_of = (
        {holding.sky_object_id: holding.lease_id for holding in own}
        if batch_id is None
        else dict.fromkeys(objects, batch_id)
    )
    in_time = frozenset(
        holding.sky_object_id
        for holding in own
        if holding.lease_id == batch_of[holding.sky_object_id] and not holding.expired
    )
    return Reservations(batch_of, in_time)
