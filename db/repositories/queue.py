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

# `ix_candidate_free_by_rank`
_BEST_RANKED = text(
    """
    SELECT id FROM candidate
    WHERE campaign_id = :campaign_id AND state = 'free' AND rank IS NOT NULL
      AND id <> ALL (:besides)
    ORDER BY rank LIMIT :count FOR UPDATE SKIP LOCKED
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
        RETURNING candidate.id, campaign_id, sky_object_id, candidate.rank,
            candidate.score, coalesce(given.reason, candidate.reason) AS reason,
            given.position - 1 AS position
    ), noted AS (
        INSERT INTO lease_item
            (lease_id, position, candidate_id, rank, score, reason, prediction)
        SELECT :lease_id, taken.position, taken.id, taken.rank,
            coalesce(taken.score, prediction.score), taken.reason, prediction.targets
        FROM taken LEFT JOIN prediction USING (campaign_id, sky_object_id)
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
    session: Session, campaign_id: int, *, count: int, besides: Sequence[int] = ()
) -> list[int]:
    """Lock the free candidates of the best ranks, best first."""
    return _lock(session, _BEST_RANKED, campaign_id, count, besides)


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
    candidate_ids: Sequence[int],
    reasons: Sequence[str | None],
) -> list[StoredItem]:
    """Lease the very rows that this transaction has locked, and note why.

    Args:
        session: the caller commits.
        lease_id: an open lease.
        labeler: whose lease.
        candidate_ids: the batch in its order.
        reasons: one each; None for the reason of the ranking.

    Returns:
        What is handed out, with the predictions of this moment.
    """
    rows = session.execute(
        _TAKE,
        {
            "lease_id": lease_id,
            "labeler": labeler,
            "candidate_ids": list(candidate_ids),
            "reasons": list(reasons),
        },
    )
    return [StoredItem(*row) for row in rows]


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
