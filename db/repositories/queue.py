"""The queue of a campaign: locked where it is walked, leased on the rows it locked.

Asking is the busiest thing that happens here: one statement locks a batch, another one
takes it. The size of the batch is part of their text: where a limit is a parameter,
PostgreSQL plans for a tenth of the table, and does so anew for every ask.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from psycopg.sql import SQL, Composable, Composed, Identifier, Literal
from sqlalchemy.orm import Session

from db.base import JsonObject
from db.repositories.driver import fetch_all, fetch_one


class Source(StrEnum):
    """Where candidates are taken from."""

    RANDOM_SLOTS = "random_slots"  # smallest random keys, for slots that are random
    EVALUATION = "evaluation"  # smallest random keys of what examines
    OPINIONS = "opinions"  # what others have and this labeler never had
    RANKED = "ranked"  # the order of a run
    RANDOM = "random"  # smallest random keys, where nothing else is left


# `ix_candidate_free_by_key`
_SMALLEST_KEYS: Final = SQL(
    """
    SELECT id, random_key AS place FROM candidate
    WHERE campaign_id = %(campaign_id)s AND split = {split}
      AND state = 'free' AND slot = 0
    ORDER BY random_key LIMIT {reach} FOR UPDATE SKIP LOCKED
    """
)

# `ix_candidate_free_opinions`, and the unique (campaign, object, slot) for siblings.
# The caller holds the turn of opinions.
_SECOND_OPINIONS: Final = SQL(
    """
    SELECT id, random_key AS place FROM candidate
    WHERE campaign_id = %(campaign_id)s AND state = 'free' AND slot > 0
      AND NOT EXISTS (
        SELECT FROM candidate AS other
        WHERE other.campaign_id = %(campaign_id)s
          AND other.sky_object_id = candidate.sky_object_id
          AND (other.labeler = %(labeler)s
            OR (other.state = 'free' AND other.slot < candidate.slot)))
    ORDER BY random_key, slot LIMIT {reach} FOR UPDATE SKIP LOCKED
    """
)

# The primary key of `ranked_object`, then the unique (campaign, object, slot). What is
# free is decided on the row that is locked: by `candidate` alone.
_BEST_RANKED: Final = SQL(
    """
    SELECT candidate.id, ranked_object.rank AS place
    FROM ranked_object JOIN candidate USING (sky_object_id)
    WHERE ranked_object.run_id = %(run_id)s
      AND candidate.campaign_id = %(campaign_id)s AND candidate.slot = 0
      AND candidate.state = 'free'
    ORDER BY ranked_object.rank LIMIT {reach} FOR UPDATE OF candidate SKIP LOCKED
    """
)

_WALKS: Final = {
    Source.RANDOM_SLOTS: _SMALLEST_KEYS,
    Source.EVALUATION: _SMALLEST_KEYS,
    Source.OPINIONS: _SECOND_OPINIONS,
    Source.RANKED: _BEST_RANKED,
    Source.RANDOM: _SMALLEST_KEYS,
}

# A walk goes on, and locks, as far as rows are taken from it: just those that are
# missing, besides what this transaction has locked before.
_CHOICE: Final = SQL(
    """
    {source} AS (
        SELECT id, place FROM ({walk}) AS walk WHERE id NOT IN ({before})
        LIMIT least({most}, {size} - (SELECT count(*) FROM ({before}) AS before))
    )
    """
)

# `ix_candidate_free_by_key`, `ix_candidate_free_opinions`; what other transactions
# have locked and may yet give back counts as free.
_HAS_FREE: Final = """
    SELECT EXISTS (
        SELECT FROM candidate
        WHERE campaign_id = %(campaign_id)s AND state = 'free' AND slot = 0
    ) OR EXISTS (
        SELECT FROM candidate
        WHERE campaign_id = %(campaign_id)s AND state = 'free' AND slot > 0
          AND NOT EXISTS (
            SELECT FROM candidate AS other
            WHERE other.campaign_id = %(campaign_id)s
              AND other.sky_object_id = candidate.sky_object_id
              AND other.labeler = %(labeler)s))
"""

_TAKE: Final = SQL(
    """
    WITH given AS (
        SELECT * FROM unnest(%(candidate_ids)s::bigint[], %(reasons)s::text[])
        WITH ORDINALITY AS given (candidate_id, reason, position) LIMIT {size}
    ), taken AS (
        UPDATE candidate
        SET state = 'leased', lease_id = %(lease_id)s, labeler = %(labeler)s
        FROM given WHERE candidate.id = given.candidate_id AND candidate.state = 'free'
        RETURNING candidate.id, campaign_id, sky_object_id, slot, given.reason,
            given.position - 1 AS position
    ), placed AS (
        DELETE FROM ranked_object USING taken
        WHERE ranked_object.run_id = %(run_id)s AND taken.slot = 0
          AND ranked_object.sky_object_id = taken.sky_object_id
        RETURNING taken.id, ranked_object.rank, ranked_object.score
    ), noted AS (
        INSERT INTO lease_item
            (lease_id, position, candidate_id, rank, score, reason, prediction)
        SELECT %(lease_id)s, taken.position, taken.id, placed.rank,
            coalesce(placed.score, prediction.score), taken.reason, prediction.targets
        FROM taken LEFT JOIN placed USING (id)
        LEFT JOIN prediction ON prediction.campaign_id = taken.campaign_id
          AND prediction.sky_object_id = taken.sky_object_id
          AND prediction.run_id = %(run_id)s
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


@dataclass(frozen=True)
class Walk:
    """A queue as one labeler walks it."""

    campaign_id: int
    labeler: str
    run_id: int | None
    """Whose order is walked; none before the first."""


def lock(
    session: Session,
    walk: Walk,
    sources: tuple[Source, ...],
    *,
    size: int,
    random_slots: int,
    besides: Sequence[int] = (),
) -> list[tuple[int, Source]]:
    """Lock free candidates that no other transaction has locked.

    Args:
        session: its transaction holds the locks.
        walk: who walks which queue.
        sources: first choice first; each fills what those before it left open.
        size: how many at most, those besides included.
        random_slots: how many at most of `Source.RANDOM_SLOTS`.
        besides: candidates that this transaction has locked before.

    Returns:
        Candidates and where they are from, in the order of asking; fewer where the
        queue ends.
    """
    facts = {**vars(walk), "random_slots": random_slots, "besides": list(besides)}
    rows = fetch_all(session, _lock_statement(sources, size), facts)
    return [(candidate, Source(source)) for candidate, source in rows]


def take(
    session: Session,
    lease_id: int,
    walk: Walk,
    *,
    candidate_ids: Sequence[int],
    reasons: Sequence[str],
) -> list[StoredItem]:
    """Lease the very rows that this transaction has locked, and note why.

    Args:
        session: the caller commits.
        lease_id: an open lease of the walk's labeler.
        walk: the places of its run are used up.
        candidate_ids: the batch in its order.
        reasons: one each.

    Returns:
        What is handed out, with the predictions of this moment.
    """
    facts = {
        **vars(walk),
        "lease_id": lease_id,
        "candidate_ids": list(candidate_ids),
        "reasons": list(reasons),
    }
    rows = fetch_all(session, _take_statement(len(candidate_ids)), facts)
    return [StoredItem(*row) for row in rows]


def has_free_candidate(session: Session, campaign_id: int, labeler: str) -> bool:
    """Whether anything is left that this labeler may be asked for."""
    facts = {"campaign_id": campaign_id, "labeler": labeler}
    return fetch_one(session, _HAS_FREE, facts) == (True,)


@lru_cache(maxsize=256)
def _lock_statement(sources: tuple[Source, ...], size: int) -> bytes:
    before: list[Composable] = [SQL("SELECT unnest(%(besides)s::bigint[]) AS id")]
    choices, chosen = [], []
    for place, source in enumerate(sources):
        choices.append(_choice(source, SQL(" UNION ALL ").join(before), size))
        before.append(SQL("SELECT id FROM {}").format(Identifier(source)))
        chosen.append(
            SQL("SELECT id, {} AS source, {} AS choice, place FROM {}").format(
                Literal(source.value), Literal(place), Identifier(source)
            )
        )
    statement = SQL("WITH {} SELECT id, source FROM ({}) AS chosen").format(
        SQL(", ").join(choices), SQL(" UNION ALL ").join(chosen)
    )
    return (statement + SQL(" ORDER BY choice, place, id")).as_bytes()


def _choice(source: Source, before: Composed, size: int) -> Composed:
    split = "evaluation" if source is Source.EVALUATION else "pool"
    # As many again may be locked by this transaction already, and are passed over.
    walk = _WALKS[source].format(split=Literal(split), reach=Literal(2 * size))
    most = SQL("%(random_slots)s" if source is Source.RANDOM_SLOTS else "NULL")
    return _CHOICE.format(
        source=Identifier(source),
        walk=walk,
        before=before,
        most=most,
        size=Literal(size),
    )


@lru_cache(maxsize=256)
def _take_statement(size: int) -> bytes:
    return _TAKE.format(size=Literal(size)).as_bytes()
