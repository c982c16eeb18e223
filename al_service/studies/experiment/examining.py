"""One system's predictions become the figures of its rows."""

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from al_service.evaluation.distributions import cde_loss, pit_distance
from al_service.evaluation.intervals import metric_intervals
from al_service.evaluation.metrics import (
    OUTLIER,
    median_bias,
    normalized_residual,
    outlier_rate,
    sigma_iqr,
)
from al_service.evaluation.report import COVERAGE_LEVELS
from al_service.evaluation.selective import KEPT_SHARE, selective_curve
from al_service.posterior.calibration import fit_calibration
from al_service.posterior.predictions import Predictions
from al_service.studies.experiment.system import Examples, Floats
from al_service.survey.targets import Target

Json = dict[str, Any]  # Any: JSON

_BOOTSTRAP_SEED: Final = 0

_DRAWS: Final = 200
"""Resamples: ends of 95 % intervals good to a tenth of their length."""

UNCALIBRATED: Final = {68: "coverage68_uncalibrated", 95: "coverage95_uncalibrated"}


def calibrated(
    predictions: Predictions, validation: Predictions, examples: Examples
) -> Predictions:
    """Predictions whose intervals were widened until they covered other galaxies.

    Args:
        predictions: of the test objects.
        validation: of the validation objects, under the same modalities.
        examples: the validation objects with their labels.
    """
    return fit_calibration(validation, examples.values).apply(predictions)


def examine(predictions: Predictions, examples: Examples) -> list[Json]:
    """Every metric of every target that has labels, with 95 % intervals by galaxy.

    Args:
        predictions: of `N` test objects, calibrated.
        examples: the same objects with their labels.

    Returns:
        Per target `target`, `n_test`, `metrics` and `intervals`; not defined is None.
    """
    intervals = metric_intervals(
        predictions,
        examples.values,
        examples.group_ids,
        seed=_BOOTSTRAP_SEED,
        draws=_DRAWS,
    )
    found = []
    for column, target in enumerate(predictions.targets):
        if target not in intervals:
            continue
        metrics = {name: one.estimate for name, one in intervals[target].items()}
        metrics |= _further(predictions, examples.values, column)
        found.append(
            {
                "target": target,
                "n_test": int(np.isfinite(examples.values[:, column]).sum()),
                "metrics": {name: _or_none(value) for name, value in metrics.items()},
                "intervals": {
                    name: [_or_none(one.low), _or_none(one.high)]
                    for name, one in intervals[target].items()
                },
            }
        )
    return found


def uncalibrated_coverage(predictions: Predictions, values: Floats) -> list[Json]:
    """Coverage of the intervals as the model states them, per target."""
    rows: list[Json] = []
    for column in range(len(predictions.targets)):
        known = np.isfinite(values[:, column])
        row: Json = {}
        for level in COVERAGE_LEVELS.values():
            low, high = predictions.interval(level)
            inside = (low <= values) & (values <= high)
            share = float(np.mean(inside[known, column])) if known.any() else None
            row[UNCALIBRATED[level]] = share
        rows.append(row)
    return rows


def _further(predictions: Predictions, values: Floats, column: int) -> dict[str, float]:
    """What a campaign's report does not have."""
    known = np.isfinite(values[:, column])
    metrics = _distribution(predictions, values, column, known)
    metrics |= _selective(predictions, values, column, known)
    if predictions.targets[column] == Target.Z:
        metrics |= _rail(values[known, column], predictions.mean[known, column])
    return metrics


def _distribution(
    predictions: Predictions,
    values: Floats,
    column: int,
    known: NDArray[np.bool_],
) -> dict[str, float]:
    return {
        "pit_ks": pit_distance(predictions.pit(values)[:, column]),
        "cde_loss": float(np.mean(cde_loss(predictions, values)[known, column])),
        "sharpness": float(np.mean(predictions.total_spread[known, column])),
    }


def _selective(
    predictions: Predictions,
    values: Floats,
    column: int,
    known: NDArray[np.bool_],
) -> dict[str, float]:
    """Errors of the most certain; for z, how many of them are catastrophes."""
    truth, mean = values[known, column], predictions.mean[known, column]
    spread = predictions.total_spread[known, column]
    squared = selective_curve((mean - truth) ** 2, spread)
    metrics = {
        "aurc": selective_curve(np.abs(mean - truth), spread).area,
        "rmse_kept90": math.sqrt(squared.at(KEPT_SHARE)),
    }
    if predictions.targets[column] == Target.Z:
        catastrophic = np.abs(normalized_residual(truth, mean)) > OUTLIER
        curve = selective_curve(catastrophic.astype(np.float64), spread)
        metrics["outlier_fraction_kept90"] = curve.at(KEPT_SHARE)
    return metrics


def _rail(truth: Floats, mean: Floats) -> dict[str, float]:
    """The point metrics of RAIL under its names."""
    residual = normalized_residual(truth, mean)
    return {
        "sigma_iqr": sigma_iqr(residual),
        "bias_median": median_bias(residual),
        "outlier_rate": outlier_rate(residual),
    }


def _or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None
