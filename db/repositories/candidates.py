"""Candidates: made with a campaign, given back, counted."""

from collections.abc import Sequence

from sqlalchemy import (
    ColumnElement,
    Integer,
    String,
    and_,
    cast,
    func,
    insert,
    literal,
    null,
    select,
    text,
    type_coerce,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, BIT
from sqlalchemy.orm import Session, aliased
from sqlalchemy.types import BigInteger

from db.tables import Campaign, Candidate, SkyObject
from db.vocabulary import CandidateState, Split


def random_key_of(seed: int, object_id: ColumnElement[str]) -> ColumnElement[int]:
    """The number that `al_service.randomness.random_key` computes, in SQL.

    The first eight bytes of sha256("seed:object id"), most significant byte first,
    as a signed integer.
    """
    named = func.convert_to(literal(f"{seed}:", String).concat(object_id), "UTF8")
    first = func.encode(func.substr(func.sha256(named), 1, 8), "hex")
    bits = cast(literal("x", String).concat(first), BIT(64))
    return type_coerce(cast(bits, BigInteger), BigInteger)


def create(session: Session, campaign: Campaign, *, evaluation_size: int) -> None:
    """Make the pool's objects candidates, and some that examine.

    Args:
        session: the caller commits.
        campaign: flushed already: it has an id.
        evaluation_size: how many evaluation objects may be asked for: those of the
            smallest random keys.
    """
    key = random_key_of(campaign.seed, SkyObject.object_id.expression)
    objects = select(
        SkyObject.id.label("id"), SkyObject.split.label("split"), key.label("key")
    ).where(SkyObject.pool_id == campaign.pool_id)
    examined = (
        objects.where(SkyObject.split == Split.EVALUATION)
        .order_by(key, SkyObject.id)
        .limit(evaluation_size)
    )
    chosen = union_all(
        objects.where(SkyObject.split == Split.POOL), select(examined.subquery())
    ).subquery("chosen")
    session.execute(
        insert(Candidate).from_select(
            ["campaign_id", "sky_object_id", "split", "slot", "random_key", "state"],
            select(
                literal(campaign.id),
                chosen.c.id,
                chosen.c.split,
                literal(0, Integer),
                chosen.c.key,
                literal(CandidateState.FREE.value, String),
            ).order_by(chosen.c.id),
            include_defaults=False,
        )
    )
    # Plans made before the first autovacuum would walk a million rows for one ask.
    session.execute(text("ANALYZE candidate"))


def open_opinions(session: Session, campaign_id: int, lease_id: int) -> None:
    """Make places for the next opinion on the objects of a lease."""
    objects = (
        select(func.array_agg(Candidate.sky_object_id, type_=ARRAY(BigInteger)))
        .where(Candidate.lease_id == lease_id)
        .scalar_subquery()
    )
    session.execute(select(func.open_opinions(campaign_id, objects)))


def give_back(session: Session, lease_ids: Sequence[int]) -> list[int]:
    """Free every candidate of some leases, in the order of their ids.

    Returns:
        The candidates that are free now.
    """
    held = _lock_of_leases(session, lease_ids)
    session.execute(
        update(Candidate)
        .where(Candidate.id.in_(held))
        .values(state=CandidateState.FREE, lease_id=null(), labeler=null())
        .execution_options(synchronize_session=False)
    )
    return held


def reorder_opinions(session: Session, candidate_ids: Sequence[int]) -> None:
    """Keep slot 0 with somebody who has the object, after candidates were freed.

    A first place that was given back moves behind the others and becomes a second
    opinion to be asked for; the caller holds the turn of opinions.
    """
    other = aliased(Candidate)
    places = session.execute(
        select(Candidate, other)
        .join(
            other,
            and_(
                other.campaign_id == Candidate.campaign_id,
                other.sky_object_id == Candidate.sky_object_id,
            ),
        )
        .where(Candidate.id.in_(candidate_ids), Candidate.slot == 0)
        .order_by(Candidate.id, other.slot)
        .execution_options(populate_existing=True)
    )
    siblings: dict[int, list[Candidate]] = {}
    for freed, one in places:
        siblings.setdefault(freed.id, []).append(one)
    for first, *others in siblings.values():
        taken = [one for one in others if one.state is not CandidateState.FREE]
        if taken:
            first.slot = others[-1].slot + 1
            session.flush()  # the place is empty before somebody else gets it
            taken[0].slot = 0
            session.flush()


def count_taken(session: Session, campaign_id: int) -> int:
    """How many candidates are leased or labeled (`ix_candidate_taken`)."""
    return (
        session.scalar(
            select(func.count()).where(
                Candidate.campaign_id == campaign_id,
                Candidate.state != CandidateState.FREE,
            )
        )
        or 0
    )


def count_random_sample(session: Session, campaign_id: int, end: int | None) -> int:
    """How many pool objects have keys up to the end of the random sample."""
    if end is None:
        return 0
    return (
        session.scalar(
            select(func.count()).where(
                Candidate.campaign_id == campaign_id,
                Candidate.split == Split.POOL,
                Candidate.slot == 0,
                Candidate.random_key <= end,
            )
        )
        or 0
    )


def _lock_of_leases(session: Session, lease_ids: Sequence[int]) -> list[int]:
    return list(
        session.scalars(
            select(Candidate.id)
            .where(Candidate.lease_id.in_(lease_ids))
            .order_by(Candidate.id)
            .with_for_update()
        )
    )
