"""Free candidates become the head of the queue."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from al_service.acquisition.cold_start import rank_typical
from al_service.acquisition.covering import rank_covering
from al_service.acquisition.gradients import through_gradients, unit_scale
from al_service.acquisition.information import Knowledge
from al_service.acquisition.knowing import (
    aim_rows,
    knowledge_of,
    precision_of,
    weights_of,
)
from al_service.acquisition.ranking import Ranking, unblocked
from al_service.acquisition.strategies import (
    ColdStart,
    Strategy,
    rank,
)
from al_service.acquisition.uncertainty import total_variance
from al_service.errors import RunStopped
from al_service.features.photometry import photometry_features
from al_service.features.scaling import Scaler
from al_service.models.samples import WHITENING_SAMPLE, evenly
from al_service.posterior.head import Head
from al_service.randomness import derived_seed
from al_service.rounds.guarding import held_back, strata_of_rows
from al_service.rounds.nearest_labels import remembering
from al_service.rounds.scoring import FeatureCache
from al_service.rounds.terms import Terms
from db.repositories import training

FIRST_WAVE: Final = 32
"""Clusters of the first wave of typical objects: about as many labels as a first
network wants, whatever the size of the batches in which they are asked for."""


@dataclass(frozen=True)
class Queue:
    """Where the objects of a campaign stand at one moment."""

    sky_object_ids: NDArray[np.int64]
    """`N` free candidates."""
    rows: NDArray[np.int64]
    """`N` their rows in the pool's arrays."""
    random_keys: NDArray[np.int64]
    """`N` their fixed random keys."""
    taken_rows: NDArray[np.int64]
    """Rows of labeled and leased objects, ascending: nobody asks for their galaxies."""
    leased_ids: NDArray[np.int64]
    """`L` objects that somebody is looking at."""
    leased_rows: NDArray[np.int64]
    """`L` their rows in the pool's arrays, ascending."""

    @property
    def labeled_rows(self) -> NDArray[np.int64]:
        """Rows of the objects that have labels and nobody is looking at, ascending."""
        return np.setdiff1d(self.taken_rows, self.leased_rows, assume_unique=True)

    @property
    def pool_rows(self) -> NDArray[np.int64]:
        """Rows of all objects that may be or were asked for, ascending.

        The same at every moment of a campaign; no object that examines is among them.
        """
        return np.union1d(self.rows, self.taken_rows)


@dataclass(frozen=True)
class NewRanking:
    """The head of the queue as a run orders it."""

    sky_object_ids: NDArray[np.int64]
    """`K` candidates, best first."""
    scores: NDArray[np.float64]
    """`K`, in that order."""
    reason: str
    odd_ids: NDArray[np.int64] = field(
        default_factory=lambda: np.empty(0, dtype=np.int64)
    )
    """Candidates that the gate has held back: anomalies, to be looked at."""


def read_queue(session: Session, campaign_id: int) -> Queue:
    """What is free and what is taken, in one snapshot of the candidates."""
    found = training.pool_candidates(session, campaign_id)
    ids, rows, place = found["sky_object_id"], found["row"], found["place"]
    free, leased = place == training.FREE_PLACE, place == training.LEASED_PLACE
    leased_rows, first = np.unique(rows[leased], return_index=True)
    return Queue(
        ids[free],
        rows[free],
        found["random_key"][free],
        taken_rows=np.unique(rows[~free]),
        leased_ids=ids[leased][first],
        leased_rows=leased_rows,
    )


def queue_without(
    found: Mapping[str, NDArray[np.int64]], taken_rows: NDArray[np.int64]
) -> Queue:
    """The queue of another moment, without anybody's leases.

    Args:
        found: of `training.pool_candidates`, at any moment.
        taken_rows: of the objects that were labeled or handed out then.
    """
    rows, first = np.unique(found["row"], return_index=True)
    free = ~np.isin(rows, taken_rows)
    nobody = np.empty(0, dtype=np.int64)
    return Queue(
        found["sky_object_id"][first][free],
        rows[free],
        found["random_key"][first][free],
        taken_rows=taken_rows,
        leased_ids=nobody,
        leased_rows=nobody,
    )


def rank_queue(
    terms: Terms,
    queue: Queue,
    head: Head,
    cache: FeatureCache,
    *,
    feature_scale: NDArray[np.float64],
    memory: Path | None = None,
    gradients: FeatureCache | None = None,
) -> NewRanking:
    """Order the free candidates by what their labels would teach.

    Args:
        terms: of the run.
        queue: labeled and leased objects are centers, their galaxies are blocked.
        head: whose unweighted covariance scores.
        cache: the pool's features.
        feature_scale: `D` factors on features before distances are taken.
        memory: file of the distances that earlier runs on these features have found;
            the order is the same without it.
        gradients: in place of the features where objects are compared.
    """
    arrays, strategy = terms.arrays, terms.strategy
    score, precision = _scores(terms, queue.rows, head, cache)
    knowledge: Knowledge | None = None
    if strategy.looks_at_posterior:
        knowledge = knowledge_of(
            head,
            strategy,
            precision=precision,
            centers=cache.take(queue.taken_rows),
            aims=cache.take(aim_rows(queue.pool_rows)),
        )
    seen: NDArray[Any] = cache.arrays["phi"]
    if gradients is not None:
        seen = gradients.arrays["gradient"]
        sample = seen[aim_rows(queue.pool_rows)]
        feature_scale = unit_scale(sample)
        if knowledge is not None:
            knowledge = through_gradients(knowledge, sample)
    with remembering(
        memory,
        cache.n_objects,
        labeled_rows=queue.labeled_rows,
        center_rows=queue.taken_rows,
    ) as find_nearest:
        ranking = rank(
            strategy,
            features=seen,
            feature_rows=queue.rows,
            score=score,
            object_ids=arrays.object_ids[queue.rows],
            group_ids=arrays.group_ids[queue.rows],
            center_features=seen[queue.taken_rows],
            blocked_groups=set(arrays.group_ids[queue.taken_rows].tolist()),
            random_keys=queue.random_keys,
            size=terms.size,
            seed=derived_seed(terms.seed, "ranking"),
            feature_scale=feature_scale,
            knowledge=knowledge,
            strata=strata_of_rows(terms, queue.rows, pool_rows=queue.pool_rows),
            held=held_back(terms, queue.rows),
            find_nearest=find_nearest,
        )
    return _named(queue.sky_object_ids, ranking)


def rank_unlabeled(terms: Terms, queue: Queue) -> NewRanking:
    """The first order, before there are labels: typical or covering objects, or random.

    A campaign of strategy `random` stays random from its first batch on. What a flag
    holds back has no place among the few objects of a cold start.
    """
    arrays, strategy, size = terms.arrays, terms.strategy, terms.size
    taken = set(arrays.group_ids[queue.taken_rows].tolist())
    columns = _raw_features(terms, queue.pool_rows)
    if strategy.name is Strategy.RANDOM:
        ranking = rank(
            strategy,
            features=columns,
            feature_rows=queue.rows,
            score=np.zeros(len(queue.rows)),
            object_ids=arrays.object_ids[queue.rows],
            group_ids=arrays.group_ids[queue.rows],
            center_features=columns[:0],
            blocked_groups=taken,
            random_keys=queue.random_keys,
            size=size,
            seed=derived_seed(terms.seed, "ranking"),
        )
        return _named(queue.sky_object_ids, ranking)
    usable = unblocked(arrays.group_ids[queue.rows], taken)
    held = held_back(terms, queue.rows)
    free = np.flatnonzero(usable if held is None else usable & ~held)
    rows = queue.rows[free]
    covering = strategy.cold_start is ColdStart.COVERING
    ranking = (rank_covering if covering else rank_typical)(
        columns[rows],
        arrays.object_ids[rows],
        arrays.group_ids[rows],
        size=size,
        seed=derived_seed(terms.seed, "cold start"),
        batch=FIRST_WAVE,
    )
    return _named(queue.sky_object_ids[free], ranking)


def _named(sky_object_ids: NDArray[np.int64], ranking: Ranking) -> NewRanking:
    return NewRanking(
        sky_object_ids[ranking.order],
        ranking.score,
        ranking.reason,
        sky_object_ids[ranking.odd],
    )


def _scores(
    terms: Terms,
    rows: NDArray[np.int64],
    head: Head,
    cache: FeatureCache,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`N` scores and `N` precisions of labels, chunk by chunk.

    Scores are summed noise-normalized epistemic variances; precisions are left empty
    where the strategy does not look at them.
    """
    strategy = terms.strategy
    scores = np.empty(len(rows))
    precision = np.empty(len(rows) if strategy.looks_at_posterior else 0)
    weights = weights_of(head, strategy) if strategy.target_weights else None
    for places, features in cache.chunks(rows):
        if terms.should_stop():
            raise RunStopped(f"ranking stopped after {places.start} objects")
        scores[places] = total_variance(head.epistemic_variance(features), weights)
        if strategy.looks_at_posterior:
            precision[places] = precision_of(features, head, strategy)
    return scores, precision


def _raw_features(terms: Terms, pool_rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """`N x F` photometry of all objects, on the scale of those that may be asked."""
    columns = np.concatenate(
        [
            photometry_features(inputs.photometry).astype(np.float32)
            for _, inputs in terms.arrays.chunks(terms.chunk, modalities=())
        ]
    )
    scaler = Scaler.fit(columns[evenly(pool_rows, WHITENING_SAMPLE)])
    return scaler.transform(columns)
