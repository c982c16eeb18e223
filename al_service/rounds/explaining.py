"""Why these objects: batches explained, and ordered again bit for bit."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session, sessionmaker

from al_service.acquisition.neighbors import Neighbor, neighbors
from al_service.rounds.artifacts import Artifacts
from al_service.rounds.order_record import order_digest
from al_service.rounds.ordering import (
    NewRanking,
    rank_queue,
    rank_unlabeled,
)
from al_service.rounds.past_orders import Past, Seen, features_of, never, read_past
from al_service.rounds.refitting import refit
from al_service.rounds.terms import Terms
from al_service.settings import Settings


@dataclass(frozen=True)
class ExplainedItem:
    """One handed-out object."""

    object_id: str
    reason: str
    rank: int | None
    score: float | None
    near_to: str | None
    """The nearest object that was labeled or handed out when the order was made."""
    distance: float | None
    near_to_in_batch: str | None
    """The nearest object before it in the batch."""
    distance_in_batch: float | None


@dataclass(frozen=True)
class Explanation:
    """A batch with everything that decided it."""

    batch_id: int
    campaign: str
    run_id: int
    run_kind: str
    strategy: dict[str, Any]  # Any: JSON
    seed: int
    n_labels: int
    label_digest: str
    """Of the labels that the last layer knew; of none before the first."""
    features_digest: str
    order_digest: str
    n_free: int
    n_taken: int
    items: tuple[ExplainedItem, ...]


@dataclass(frozen=True)
class Replayed:
    """A run's order, made again."""

    batch_id: int
    run_id: int
    same_order: bool
    """Whether every object and every bit of every score of the run's order came out."""
    order_digest: str
    found_digest: str
    same_features: bool
    differing: tuple[str, ...]
    """Objects of the batch that are not where they were."""


def explain(
    batch_id: int,
    *,
    sessions: sessionmaker[Session],
    settings: Settings,
) -> Explanation:
    """Why the objects of a batch were handed out.

    Args:
        batch_id: which batch.
        sessions: makes one short transaction.
        settings: where files are.

    Raises:
        NotFound: there is no such batch, or no order was kept that it walked.
    """
    past = read_past(batch_id, sessions, settings)
    with features_of(past, settings) as seen:
        near, before = _near(past, seen)
    items = tuple(
        ExplainedItem(
            item.object_id,
            item.reason,
            item.rank,
            item.score,
            *_named(close, past.arrays.object_ids[past.record.taken]),
            *_named(earlier, np.array([one.object_id for one in past.batch.items])),
        )
        for item, close, earlier in zip(past.batch.items, near, before, strict=True)
    )
    run, record = past.run, past.record
    return Explanation(
        batch_id,
        past.batch.campaign,
        run.id,
        run.kind.value,
        record.strategy.model_dump(mode="json"),
        record.seed,
        0 if past.labels is None else len(past.labels),
        run.head_digest or run.label_digest,
        record.features_digest,
        record.order_digest,
        record.n_free,
        len(record.taken_rows),
        items,
    )


def replay(
    batch_id: int, *, sessions: sessionmaker[Session], settings: Settings
) -> Replayed:
    """Make the order that a batch walked again, and compare.

    Args:
        batch_id: which batch.
        sessions: makes one short transaction.
        settings: where files are.

    Raises:
        NotFound: there is no such batch, or no order was kept that it walked.
    """
    past = read_past(batch_id, sessions, settings)
    record = past.record
    terms = Terms(
        past.arrays,
        record.strategy,
        record.seed,
        record.size,
        settings.score_chunk,
        never,
        Artifacts(settings.artifacts_folder).scans,
    )
    with features_of(past, settings) as seen:
        ranking = _order(past, terms, seen)
        same = seen is None or seen.cache.digest == record.features_digest
    found = order_digest(ranking)
    return Replayed(
        batch_id,
        past.run.id,
        found == record.order_digest,
        record.order_digest,
        found,
        same,
        _differing(past, ranking),
    )


def _order(past: Past, terms: Terms, seen: Seen | None) -> NewRanking:
    if seen is None or past.labels is None:
        return rank_unlabeled(terms, past.queue)
    head = refit(
        seen.network,
        seen.cache,
        past.labels,
        pool_rows=past.queue.pool_rows,
        alpha=terms.strategy.weights_alpha,
    )
    return rank_queue(
        terms,
        past.queue,
        head,
        seen.cache,
        feature_scale=seen.network.whitening.distance_scale,
        gradients=seen.gradients,
    )


def _differing(past: Past, ranking: NewRanking) -> tuple[str, ...]:
    """Objects of the batch that the order has elsewhere, or with another score."""
    rows = dict(
        zip(past.queue.sky_object_ids.tolist(), past.queue.rows.tolist(), strict=True)
    )
    names = past.arrays.object_ids
    wrong = []
    for item in past.batch.items:
        if item.rank is None:
            continue
        if item.rank >= len(ranking.scores):
            wrong.append(item.object_id)
            continue
        name = str(names[rows[int(ranking.sky_object_ids[item.rank])]])
        if name != item.object_id or ranking.scores[item.rank] != item.score:
            wrong.append(item.object_id)
    return tuple(wrong)


def _near(
    past: Past, seen: Seen | None
) -> tuple[list[Neighbor | None], list[Neighbor | None]]:
    """Per object of the batch: the nearest taken object, the nearest before it."""
    count = len(past.batch.items)
    if seen is None:
        return [None] * count, [None] * count
    place = {name: row for row, name in enumerate(past.arrays.object_ids.tolist())}
    rows = np.array([place[item.object_id] for item in past.batch.items], np.int64)
    scale = seen.network.whitening.distance_scale
    own = seen.cache.take(rows).phi
    near = neighbors(own, seen.cache.take(past.record.taken).phi, scale)
    before = [
        neighbors(own[number : number + 1], own[:number], scale)[0]
        for number in range(count)
    ]
    return near, before


def _named(
    neighbor: Neighbor | None, names: NDArray[np.str_]
) -> tuple[str | None, float | None]:
    if neighbor is None:
        return None, None
    return str(names[neighbor.place]), neighbor.distance
