"""Rankings and predictions: the whole head of the queue replaced at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import delete, text
from sqlalchemy.orm import Session

from db.base import JsonObject
from db.repositories import locks
from db.repositories.copying import copy_rows
from db.tables import Prediction

_NEW_RANKING = """
CREATE TEMPORARY TABLE new_ranking (
    sky_object_id bigint PRIMARY KEY, rank bigint NOT NULL, score float8 NOT NULL
) ON COMMIT DROP
"""

# Twenty thousand rows of a million are found by index, whatever a disk would cost.
_BY_INDEX = "SET LOCAL random_page_cost = 1.1"

# By the unique (campaign_id, sky_object_id, slot), before anybody has to wait.
_PLACED = """
CREATE TEMPORARY TABLE placed ON COMMIT DROP AS
SELECT candidate.id, new_ranking.rank, new_ranking.score
FROM new_ranking JOIN candidate USING (sky_object_id)
WHERE candidate.campaign_id = CAST(:campaign_id AS bigint) AND candidate.slot = 0
ORDER BY candidate.id
"""

# Found by ix_candidate_free_by_rank.
_CLEAR_FREE = """
UPDATE candidate SET rank = NULL, score = NULL, reason = NULL
WHERE campaign_id = :campaign_id AND state = 'free' AND rank IS NOT NULL
  AND NOT EXISTS (SELECT FROM placed WHERE placed.id = candidate.id)
"""

# Leased rows that fall free again must not come back with a rank of an older order;
# found by ix_candidate_taken.
_CLEAR_LEASED = """
UPDATE candidate SET rank = NULL, score = NULL, reason = NULL
WHERE campaign_id = :campaign_id AND state = 'leased' AND rank IS NOT NULL
"""

_SET = """
UPDATE candidate
SET rank = placed.rank, score = placed.score, reason = :reason
FROM placed
WHERE candidate.id = placed.id AND candidate.state = 'free' AND candidate.slot = 0
"""


@dataclass(frozen=True)
class NewPrediction:
    """What a run says of one object."""

    sky_object_id: int
    score: float
    targets: JsonObject


def replace_ranking(
    session: Session,
    campaign_id: int,
    *,
    sky_object_ids: Sequence[int],
    scores: Sequence[float],
    reason: str,
) -> None:
    """Give free candidates new ranks and take the old ones from all others.

    An object that was leased or labeled since the ranking was computed keeps no rank.
    Whoever changes candidates shares the queue (`locks.share_queue`, the label
    trigger too), and it is held here: nobody else has locked a row. What can be done
    before is done before, so that asks wait for the UPDATE only.

    Args:
        session: the caller commits soon: asks wait from here on.
        campaign_id: whose candidates.
        sky_object_ids: `K` objects, best first; ranks count from 0.
        scores: `K` scores in that order.
        reason: why these objects: the strategy's name, for example.
    """
    session.execute(text(_NEW_RANKING))
    copy_rows(
        session,
        "new_ranking",
        ("sky_object_id", "rank", "score"),
        (
            (object_id, rank, score)
            for rank, (object_id, score) in enumerate(
                zip(sky_object_ids, scores, strict=True)
            )
        ),
    )
    facts: dict[str, Any] = {"campaign_id": campaign_id}  # Any: bind values
    for statement in ("ANALYZE new_ranking", _BY_INDEX, _PLACED, "ANALYZE placed"):
        session.execute(text(statement), facts)
    locks.hold_queue(session, campaign_id)
    for statement in (_CLEAR_FREE, _CLEAR_LEASED, _SET):
        session.execute(text(statement), {**facts, "reason": reason})
    session.execute(text("DROP TABLE placed, new_ranking"))


def replace_predictions(
    session: Session,
    campaign_id: int,
    *,
    run_id: int,
    predictions: Iterable[NewPrediction],
) -> int:
    """Replace every prediction of a campaign; answers how many there are now."""
    session.execute(delete(Prediction).where(Prediction.campaign_id == campaign_id))
    return copy_rows(
        session,
        Prediction.__tablename__,
        ("campaign_id", "sky_object_id", "run_id", "score", "targets"),
        (
            (campaign_id, one.sky_object_id, run_id, one.score, Jsonb(one.targets))
            for one in predictions
        ),
    )
