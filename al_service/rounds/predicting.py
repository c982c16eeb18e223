"""What the model says of everything that may be handed out next, as stored JSON."""

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.acquisition.uncertainty import total_variance
from al_service.evaluation.report import expected_squared_error
from al_service.models.samples import evenly
from al_service.posterior.calibration import Calibration
from al_service.posterior.head import Head
from al_service.posterior.predictions import Predictions
from al_service.posterior.spectrum_value import (
    MOST,
    SpectrumValue,
    fit_spectrum_value,
)
from al_service.rounds.ordering import NewRanking, Queue
from al_service.rounds.scoring import FeatureCache
from al_service.rounds.training_data import EvaluationSet
from al_service.survey.inputs import Modality
from db.base import JsonObject
from db.repositories.predictions import NewPrediction

RANDOM_AHEAD: Final = 2000
"""Smallest free random keys that get predictions: random slots walk along them."""

EXPECTED_SAMPLE: Final = 4000
"""Free objects that stand for all where a mean is wanted: it is known to two per cent,
random draws know it to ten, and a head run has no time for more."""

_LEVEL: Final = 90

_PLACE: Final = "%.9g"
"""Nine digits: as many as a float32 holds, which features are."""


def predict_head(
    queue: Queue,
    ranking: NewRanking,
    evaluation: EvaluationSet | None,
    *,
    head: Head,
    calibration: Calibration | None,
    cache: FeatureCache,
) -> list[NewPrediction]:
    """What the model says of everything that may be handed out next.

    Args:
        queue: where the objects stand; when a lease expires its objects are handed out
            again.
        ranking: the head of the queue.
        evaluation: the evaluation sample that batches fill; None where the pool
            knows the labels.
        head: predicts.
        calibration: of its intervals.
        cache: the pool's features.
    """
    row_of = dict(zip(queue.sky_object_ids.tolist(), queue.rows.tolist(), strict=True))
    ahead = np.argsort(queue.random_keys, kind="stable")[:RANDOM_AHEAD]
    chosen = dict.fromkeys(ranking.sky_object_ids.tolist())
    chosen |= dict.fromkeys(queue.sky_object_ids[ahead].tolist())
    leased = queue.leased_ids.tolist()
    chosen |= dict.fromkeys(leased)
    row_of |= zip(leased, queue.leased_rows.tolist(), strict=True)
    if evaluation is not None:
        chosen |= dict.fromkeys(evaluation.sky_object_ids.tolist())
        row_of |= zip(
            evaluation.sky_object_ids.tolist(), evaluation.rows.tolist(), strict=True
        )
    rows = np.array([row_of[one] for one in chosen], dtype=np.int64)
    ids = np.array(list(chosen), dtype=np.int64)
    value = _spectrum_value(queue, head, cache)
    made: list[NewPrediction] = []
    for places, features in cache.chunks(rows):
        predictions, variance = head.predict_with_variance(features)
        if calibration is not None:
            predictions = calibration.apply(predictions)
        scores = total_variance(variance)
        saved = None if value is None else value.saving(features, predictions)
        informed = head.informed(predictions.patterns)
        texts = predictions_json(predictions, informed, saved)
        made += [
            NewPrediction(int(one), float(score), targets)
            for one, score, targets in zip(ids[places], scores, texts, strict=True)
        ]
    return made


def _spectrum_value(
    queue: Queue, head: Head, cache: FeatureCache
) -> SpectrumValue | None:
    """What a spectrum is worth, learned from objects that may be asked for."""
    rows = queue.pool_rows
    patterns: NDArray[np.int64] = cache.arrays["patterns"][rows]
    having = rows[(patterns & int(Modality.SPECTRUM)) != 0]
    return fit_spectrum_value(head, cache.take(evenly(having, MOST)))


def expected_losses(queue: Queue, *, head: Head, cache: FeatureCache) -> JsonObject:
    """What the model expects of its squared errors on the objects that are free.

    Args:
        queue: where the objects stand.
        head: predicts.
        cache: the pool's features.

    Returns:
        `n_free`, and target to the mean in `squared_error`, where it is a number;
        answers are compared with it when they come (`rounds/population.py`).
    """
    rows = evenly(queue.rows, EXPECTED_SAMPLE)
    total = np.zeros(len(head.targets))
    for _, features in cache.chunks(rows):
        said = head.predict(features)
        with np.errstate(over="ignore", invalid="ignore"):  # left out below
            deviation = np.hypot(said.epistemic, said.aleatoric)
            for column, target in enumerate(said.targets):
                total[column] += expected_squared_error(
                    target, said.mean[:, column], deviation[:, column]
                ).sum()
    mean = total / max(len(rows), 1)
    usable = np.isfinite(mean)
    return {
        "n_free": len(queue.rows),
        "squared_error": {
            target: float(one)
            for target, one, has in zip(head.targets, mean, usable, strict=True)
            if has
        },
    }


def predictions_json(
    predictions: Predictions,
    informed: NDArray[np.bool_],
    saved: NDArray[np.float64] | None = None,
) -> list[str]:
    """One JSON text per row: target to mean, deviations, interval; numbers only.

    A target whose numbers overflowed is left out: JSON has no infinity. So is one of
    which nothing is known: nobody has told a label yet.

    Args:
        predictions: of `N` objects.
        informed: `N x T` flags.
        saved: `N x T`, by how much a spectrum would lower the standard deviations; NaN
            for objects that have one.
    """
    low, high = predictions.interval(_LEVEL)
    spreads = (predictions.epistemic, predictions.aleatoric)
    columns = np.stack([predictions.mean, *spreads, low, high], axis=2)  # N x T x 5
    usable = informed & np.isfinite(columns).all(axis=2)
    lacking = np.zeros(len(columns), dtype=np.bool_)
    if saved is not None:
        lacking = np.asarray(np.isfinite(saved).any(axis=1))
        usable &= ~lacking[:, None] | np.isfinite(saved)
        columns = np.concatenate([columns, saved[:, :, None]], axis=2)
    return [
        _template(
            predictions.targets,
            tuple(has.tolist()),
            tuple(flags.tolist()),
            lacks_spectrum=lacks,
        )
        % tuple(numbers[has, : 5 + lacks].ravel().tolist())
        for numbers, has, flags, lacks in zip(
            columns, usable, predictions.calibrated, lacking.tolist(), strict=True
        )
    ]


@lru_cache(maxsize=1024)
def _template(
    targets: tuple[str, ...],
    usable: tuple[bool, ...],
    calibrated: tuple[bool, ...],
    *,
    lacks_spectrum: bool,
) -> str:
    """A JSON text with places for five or six numbers per usable target.

    Rows differ in their numbers only: filling a text is six times as fast as writing
    dictionaries (measured), and a run writes twenty thousand of them.
    """
    saved = f', "spectrum_saves": {_PLACE}' if lacks_spectrum else ""
    members = ", ".join(
        f'"{target}": {{"mean": {_PLACE}, "epistemic": {_PLACE},'
        f' "aleatoric": {_PLACE}, "interval90": [{_PLACE}, {_PLACE}]{saved},'
        f' "calibrated": {"true" if flag else "false"}}}'
        for target, has, flag in zip(targets, usable, calibrated, strict=True)
        if has
    )
    return f"{{{members}}}"
