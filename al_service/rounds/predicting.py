"""What the model says of everything that may be handed out next, as stored JSON."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.acquisition.uncertainty import total_variance
from al_service.posterior.calibration import Calibration
from al_service.posterior.head import Head
from al_service.posterior.predictions import Predictions
from al_service.rounds.ordering import NewRanking, Queue
from al_service.rounds.scoring import FeatureCache
from al_service.rounds.training_data import EvaluationSet
from db.base import JsonObject
from db.repositories.rankings import NewPrediction

RANDOM_AHEAD: Final = 2000
"""Smallest free random keys that get predictions: random slots walk along them."""

_LEVEL: Final = 90


def predict_head(
    queue: Queue,
    ranking: NewRanking,
    evaluation: EvaluationSet | None,
    *,
    leased: Mapping[str, NDArray[np.int64]],
    head: Head,
    calibration: Calibration | None,
    cache: FeatureCache,
) -> list[NewPrediction]:
    """What the model says of everything that may be handed out next.

    Args:
        queue: where the objects stand.
        ranking: the head of the queue.
        evaluation: the evaluation sample that batches fill; None where the pool
            knows the labels.
        leased: `sky_object_id` and `row` of what somebody is looking at: when a lease
            expires its objects are handed out again.
        head: predicts.
        calibration: of its intervals.
        cache: the pool's features.
    """
    row_of = dict(zip(queue.sky_object_ids.tolist(), queue.rows.tolist(), strict=True))
    ahead = np.argsort(queue.random_keys, kind="stable")[:RANDOM_AHEAD]
    chosen = dict.fromkeys(ranking.sky_object_ids.tolist())
    chosen |= dict.fromkeys(queue.sky_object_ids[ahead].tolist())
    leased_ids = leased["sky_object_id"].tolist()
    chosen |= dict.fromkeys(leased_ids)
    row_of |= zip(leased_ids, leased["row"].tolist(), strict=True)
    if evaluation is not None:
        chosen |= dict.fromkeys(evaluation.sky_object_ids.tolist())
        row_of |= zip(
            evaluation.sky_object_ids.tolist(), evaluation.rows.tolist(), strict=True
        )
    rows = np.array([row_of[one] for one in chosen], dtype=np.int64)
    ids = np.array(list(chosen), dtype=np.int64)
    made: list[NewPrediction] = []
    for places, features in cache.chunks(rows):
        predictions = head.predict(features)
        if calibration is not None:
            predictions = calibration.apply(predictions)
        scores = total_variance(head.epistemic_variance(features))
        made += [
            NewPrediction(int(one), float(score), targets)
            for one, score, targets in zip(
                ids[places], scores, _as_json(predictions), strict=True
            )
        ]
    return made


def _as_json(predictions: Predictions) -> list[JsonObject]:
    """One object per row: target to mean, deviations, interval; numbers only.

    A target whose numbers overflowed is left out: JSON has no infinity.
    """
    low, high = predictions.interval(_LEVEL)
    columns = np.stack(
        [predictions.mean, predictions.epistemic, predictions.aleatoric, low, high],
        axis=2,
    )  # N x T x 5
    usable = np.asarray(np.isfinite(columns).all(axis=2))
    flags = predictions.calibrated
    return [
        {
            target: _target_json(numbers[at], calibrated=bool(flags[row, at]))
            for at, target in enumerate(predictions.targets)
            if usable[row, at]
        }
        for row, numbers in enumerate(columns.tolist())
    ]


def _target_json(numbers: list[float], *, calibrated: bool) -> JsonObject:
    mean, epistemic, aleatoric, low, high = numbers
    return {
        "mean": mean,
        "epistemic": epistemic,
        "aleatoric": aleatoric,
        "interval90": [low, high],
        "calibrated": calibrated,
    }
