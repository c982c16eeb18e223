"""Every metric of one model on one evaluation set."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from al_service.evaluation.metrics import (
    REDSHIFT,
    covered,
    normalized_residual,
    point_metrics,
)
from al_service.posterior.predictions import Predictions

COVERAGE_LEVELS: Final[Mapping[str, int]] = {"coverage68": 68, "coverage95": 95}
"""Metric to the level of its intervals, per cent."""


def ratio_metric(target: str) -> str:
    """The error that ratios between strategies compare for this target."""
    return "rmse_norm" if target == REDSHIFT else "rmse"


def squared_error(
    target: str, truth: ArrayLike, prediction: ArrayLike
) -> NDArray[np.float64]:
    """What each object adds to the mean under the root of `ratio_metric`.

    Args:
        target: name of the target.
        truth: `N` true values, target unit; NaN where unknown.
        prediction: `N` predicted values, target unit.
    """
    known = np.asarray(truth, dtype=np.float64)
    said = np.asarray(prediction, dtype=np.float64)
    if target == REDSHIFT:
        return normalized_residual(known, said) ** 2
    error: NDArray[np.float64] = (said - known) ** 2
    return error


def expected_squared_error(
    target: str, prediction: ArrayLike, deviation: ArrayLike
) -> NDArray[np.float64]:
    """What a model expects `squared_error` to be.

    Args:
        target: name of the target.
        prediction: `N` predicted values, target unit.
        deviation: `N` their standard deviations, target unit.
    """
    said = np.asarray(prediction, dtype=np.float64)
    spread = np.asarray(deviation, dtype=np.float64)
    expected: NDArray[np.float64] = (
        (spread / (1.0 + said)) ** 2 if target == REDSHIFT else spread**2
    )
    return expected


def evaluate(
    predictions: Predictions,
    values: NDArray[np.float64],
    *,
    reports_coverage: NDArray[np.bool_] | None = None,
) -> dict[str, dict[str, float]]:
    """Every metric of every target that has labels.

    Args:
        predictions: of `N` objects.
        values: `N x T` true values in the targets' units, NaN where unknown.
        reports_coverage: `N` flags of objects that did not calibrate the intervals;
            default: all of them.

    Returns:
        Target to metric to value; coverage only where an object reports it.
    """
    reporting = np.ones(len(values), bool)
    if reports_coverage is not None:
        reporting = reports_coverage
    contributions = object_contributions(predictions, values)
    report: dict[str, dict[str, float]] = {}
    for column, target in enumerate(predictions.targets):
        there = np.isfinite(values[:, column])
        if not there.any():
            continue
        metrics = point_metrics(
            target, values[there, column], predictions.mean[there, column]
        )
        for name, of_object in contributions.items():
            part = there & reporting if name in COVERAGE_LEVELS else there
            if part.any():
                metrics[name] = float(np.mean(of_object[part, column]))
        report[target] = metrics
    return report


def object_contributions(
    predictions: Predictions, values: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """What each object adds to the metrics that are plain means.

    Args:
        predictions: of `N` objects.
        values: `N x T` true values in the targets' units, NaN where unknown.

    Returns:
        Metric to `N x T` contributions, NaN where unknown.
    """
    contributions = {
        "crps": predictions.crps(values),
        "nll": predictions.nll(values),
    }
    known = np.isfinite(values)
    for name, level in COVERAGE_LEVELS.items():
        low, high = predictions.interval(level)
        inside = np.full(values.shape, np.nan)
        inside[known] = covered(values[known], low[known], high[known])
        contributions[name] = inside
    return contributions
