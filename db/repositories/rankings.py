"""Rankings: the order that a run gives to the queue of its campaign."""

from collections.abc import Sequence

from sqlalchemy import text, update
from sqlalchemy.orm import Session

from db.repositories.copying import copy_rows
from db.tables import RankedObject, Run
from db.vocabulary import Split

# An object has its old place back where the order is still the one that gave it. Of
# second opinions any may be the last that is given back: the place stands on the item
# of the first.
_RESTORE = text(
    """
    INSERT INTO ranked_object (run_id, rank, sky_object_id, split, score)
    SELECT lease.run_id, lease_item.rank, first.sky_object_id, first.split,
        lease_item.score
    FROM candidate AS freed
    JOIN campaign ON campaign.id = freed.campaign_id
    JOIN candidate AS first ON first.campaign_id = freed.campaign_id
        AND first.sky_object_id = freed.sky_object_id
    JOIN candidate AS given ON given.campaign_id = freed.campaign_id
        AND given.sky_object_id = freed.sky_object_id
    JOIN lease_item ON lease_item.candidate_id = given.id
    JOIN lease ON lease.id = lease_item.lease_id
    WHERE freed.id = ANY (:candidate_ids)
        AND first.slot = 0 AND first.state = 'free'
        AND lease.run_id = campaign.served_run_id AND lease_item.rank IS NOT NULL
    ON CONFLICT DO NOTHING
    """
)

# Asks may be deleting rows of an older order: theirs are skipped, nobody waits.
_FORGET = text(
    """
    DELETE FROM ranked_object WHERE (run_id, rank) IN (
        SELECT run_id, rank FROM ranked_object
        WHERE run_id IN (
            SELECT id FROM run WHERE campaign_id = :campaign_id AND id <> ALL (:kept)
        )
        FOR UPDATE SKIP LOCKED
    )
    """
)


def store_ranking(
    session: Session,
    run_id: int,
    *,
    sky_object_ids: Sequence[int],
    scores: Sequence[float],
    reason: str,
) -> None:
    """Write the order of a run; nobody walks it before the campaign serves the run.

    Objects that were leased or labeled since the order was computed may be in it:
    asks look at the candidate.

    Args:
        session: the caller commits.
        run_id: whose order.
        sky_object_ids: `K` objects, best first; ranks count from 0.
        scores: `K` scores in that order.
        reason: why these objects: the strategy's name, for example.
    """
    session.execute(update(Run).where(Run.id == run_id).values(ranked_by=reason))
    copy_rows(
        session,
        RankedObject.__tablename__,
        ("run_id", "rank", "sky_object_id", "split", "score"),
        (
            (run_id, rank, object_id, Split.POOL.value, score)
            for rank, (object_id, score) in enumerate(
                zip(sky_object_ids, scores, strict=True)
            )
        ),
    )


def restore_places(session: Session, candidate_ids: Sequence[int]) -> None:
    """Give objects that are wholly free again the places that asks took from them."""
    session.execute(_RESTORE, {"candidate_ids": list(candidate_ids)})


def forget_rankings(session: Session, campaign_id: int, *, kept: Sequence[int]) -> None:
    """Delete the orders of a campaign's runs, except of those that are kept."""
    session.execute(_FORGET, {"campaign_id": campaign_id, "kept": list(kept)})
