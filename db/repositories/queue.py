"""The queue of a campaign: locked where it is walked, leased on the rows it locked.

Asking is the busiest thing that happens here: its statements are constants, and
plain rows come back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from db.base import JsonObject
from db.vocabulary import Split

# `ix_candidate_free_by_key`
_SMALLEST_KEYS = text(
    """
    SELECT id FROM candidate
    WHERE campaign_id = :campaign_id AND split = :split AND state = 'free' AND slot = 0
      AND id <> ALL (:besides)
    ORDER BY random_key LIMIT :count FOR UPDATE SKIP LOCKED
    """
)

# The primary key of `ranked_object`, then the unique (campaign, object, slot). What is
# free is decided on the row that is locked: by `candidate` alone.
_BEST_RANKED = text(
    """
    SELECT candidate.id
    FROM ranked_object JOIN candidate USING (sky_object_id)
    WHERE ranked_object.run_id = :run_id
      AND candidate.campaign_id = :campaign_id AND candidate.slot = 0
      AND candidate.state = 'free' AND candidate.id <> ALL (:besides)
    ORDER BY ranked_object.rank LIMIT :count FOR UPDATE OF candidate SKIP LOCKED
    """
)

# `ix_candidate_free_opinions`, and the unique (campaign, object, slot) for siblings
_SECOND_OPINIONS = text(
    """
    SELECT id FROM candidate
    WHERE campaign_id = :campaign_id AND state = 'free' AND slot > 0
      AND id <> ALL (:besides)
      AND NOT EXISTS (
        SELECT FROM candidate AS other
        WHERE other.campaign_id = :campaign_id
          AND other.sky_object_id = candidate.sky_object_id
          AND (other.labeler = :labeler
            OR (other.state = 'free' AND other.slot < candidate.slot)))
    ORDER BY random_key, slot LIMIT :count FOR UPDATE SKIP LOCKED
    """
)

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

_TAKE = text(
    """
    WITH given AS (
        SELECT * FROM unnest(
            CAST(:candidate_ids AS bigint[]), CAST(:reasons AS text[])
        ) WITH ORDINALITY AS given (candidate_id, reason, position)
    ), taken AS (
        UPDATE candidate
        SET state = 'leased', lease_id = :lease_id, labeler = :labeler
        FROM given WHERE candidate.id = given.candidate_id AND candidate.state = 'free'
        RETURNING candidate.id, campaign_id, sky_object_id, slot, given.reason,
            given.position - 1 AS position
    ), placed AS (
        DELETE FROM ranked_object USING taken
        WHERE ranked_object.run_id = :run_id AND taken.slot = 0
          AND ranked_object.sky_object_id = taken.sky_object_id
        RETURNING taken.id, ranked_object.rank, ranked_object.score
    ), noted AS (
        INSERT INTO lease_item
            (lease_id, position, candidate_id, rank, score, reason, prediction)
        SELECT :lease_id, taken.position, taken.id, placed.rank,
            coalesce(placed.score, prediction.score), taken.reason, prediction.targets
        FROM taken LEFT JOIN placed USING (id)
        LEFT JOIN prediction ON prediction.campaign_id = taken.campaign_id
          AND prediction.sky_object_id = taken.sky_object_id
          AND prediction.run_id = :run_id
        RETURNING candidate_id, position, rank, score, reason, prediction
    )
    SELECT sky_object.object_id, sky_object.ra, sky_object.dec, noted.rank,
        noted.reason, noted.score, noted.prediction, true
    FROM noted JOIN taken ON taken.id = noted.candidate_id
    JOIN sky_object ON sky_object.id = taken.sky_object_id
    ORDER BY noted.position
    """
)


@dataclass(frozen=True)
class StoredItem:
    """One object of a lease."""

    object_id: str
    ra: float
    dec: float
    rank: int | None
    reason: str
    score: float | None
    prediction: JsonObject | None
    held: bool
    """Whether the lease still reserves it."""


def lock_smallest_keys(
    session: Session,
    campaign_id: int,
    split: Split,
    *,
    count: int,
    besides: Sequence[int] = (),
) -> list[int]:
    """Lock free first opinions of the smallest random keys.

    Args:
        session: its transaction holds the locks.
        campaign_id: whose queue.
        split: the pool, or the objects that examine.
        count: how many at most.
        besides: candidates that are locked in this transaction already.

    Returns:
        Candidates, smallest key first; fewer where the queue ends.
    """
    return _lock(
        session, _SMALLEST_KEYS, campaign_id, count, besides, split=split.value
    )


def lock_best_ranked(
    session: Session,
    campaign_id: int,
    run_id: int | None,
    *,
    count: int,
    besides: Sequence[int] = (),
) -> list[int]:
    """Lock the free candidates that a run has ranked best, best first."""
    if run_id is None:
        return []
    return _lock(session, _BEST_RANKED, campaign_id, count, besides, run_id=run_id)


def lock_second_opinions(
    session: Session,
    campaign_id: int,
    labeler: str,
    *,
    count: int,
    besides: Sequence[int] = (),
) -> list[int]:
    """Lock places on objects that others have and this labeler never had.

    The caller holds the turn of opinions.
    """
    return _lock(
        session, _SECOND_OPINIONS, campaign_id, count, besides, labeler=labeler
    )


def take(
    session: Session,
    lease_id: int,
    labeler: str,
    *,
    run_id: int | None,
    candidate_ids: Sequence[int],
    reasons: Sequence[str],
) -> list[StoredItem]:
    """Lease the very rows that this transaction has locked, and note why.

    Args:
        session: the caller commits.
        lease_id: an open lease.
        labeler: whose lease.
        run_id: the run whose order was walked: its places are used up.
        candidate_ids: the batch in its order.
        reasons: one each.

    Returns:
        What is handed out, with the predictions of this moment.
    """
    rows = session.execute(
        _TAKE,
        {
            "lease_id": lease_id,
            "run_id": run_id,
            "labeler": labeler,
            "candidate_ids": list(candidate_ids),
            "reasons": list(reasons),
        },
    )
    return [StoredItem(*row) for row in rows]


def has_free_candidate(session: Session, campaign_id: int, labeler: str) -> bool:
    """Whether anything is left that this labeler may be asked for."""
    facts = {"campaign_id": campaign_id, "labeler": labeler}
    return bool(session.scalar(_HAS_FREE, facts))


def _lock(
    session: Session,
    statement: TextClause,
    campaign_id: int,
    count: int,
    besides: Sequence[int],
    **more: Any,  # whatever the statement binds
) -> list[int]:
    if count <= 0:
        return []
    facts = {"campaign_id": campaign_id, "count": count, "besides": list(besides)}
    return list(session.scalars(statement, {**facts, **more}))
