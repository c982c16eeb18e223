"""Every metric with its bootstrap interval by galaxy: a learning curve's points."""

import numpy as np
from numpy.typing import NDArray

from al_service.evaluation.bootstrap import (
    Interval,
    percentile_interval,
    resampled_counts,
)
from al_service.evaluation.metrics import (
    OUTLIER,
    REDSHIFT,
    normalized_residual,
    sigma_mad,
)
from al_service.evaluation.report import (
    COVERAGE_LEVELS,
    evaluate,
    object_contributions,
)
from al_service.posterior.predictions import Predictions

_DRAWS = 400
"""Resamples: a curve's point has up to a hundred intervals and its own next point."""


_EQUAL = 1e-20
"""Variance over mean square below which numbers differ by rounding only."""


def metric_intervals(
    predictions: Predictions,
    values: NDArray[np.float64],
    group_ids: NDArray[np.str_],
    *,
    seed: int,
    reports_coverage: NDArray[np.bool_] | None = None,
    draws: int = _DRAWS,
) -> dict[str, dict[str, Interval]]:
    """Every metric of every target that has labels, with its 95 % interval.

    Args:
        predictions: of `N` objects.
        values: `N x T` true values in the targets' units, NaN where unknown.
        group_ids: `N` galaxies, which are resampled.
        seed: of the resampling.
        reports_coverage: `N` flags of objects that did not calibrate the intervals.
        draws: number of resamples `S`.

    Returns:
        Target to metric to estimate and interval; NaN where not defined.
    """
    report = evaluate(predictions, values, reports_coverage=reports_coverage)
    # In float64, as every mean wants them: products of integers are slow.
    counts = resampled_counts(group_ids, seed=seed, draws=draws).astype(np.float64)
    contributions = object_contributions(predictions, values)
    reporting = np.ones(len(values), bool)
    if reports_coverage is not None:
        reporting = reports_coverage
    intervals: dict[str, dict[str, Interval]] = {}
    for column, target in enumerate(predictions.targets):
        if target not in report:
            continue
        there = np.isfinite(values[:, column])
        drawn = _point_draws(
            target,
            values[there, column],
            predictions.mean[there, column],
            counts[:, there],
        )
        for name, of_object in contributions.items():
            part = there & reporting if name in COVERAGE_LEVELS else there
            drawn[name] = _means(of_object[part, column], counts[:, part])
        intervals[target] = {
            name: percentile_interval(estimate, drawn[name])
            for name, estimate in report[target].items()
        }
    return intervals


def _point_draws(
    target: str,
    truth: NDArray[np.float64],
    prediction: NDArray[np.float64],
    counts: NDArray[np.float64],
) -> dict[str, NDArray[np.float64]]:
    """`S` resampled values of every point metric."""
    error = prediction - truth
    squared = _means(error**2, counts)
    offset = truth - truth.mean()
    spread = _means(offset**2, counts) - _means(offset, counts) ** 2
    varies = spread > _EQUAL * np.mean(truth**2)
    r2 = np.where(varies, 1.0 - squared / np.where(varies, spread, 1.0), np.nan)
    draws = {
        "rmse": np.sqrt(squared),
        "mae": _means(np.abs(error), counts),
        "r2": r2,
        "bias": _means(error, counts),
    }
    if target == REDSHIFT:
        residual = normalized_residual(truth, prediction)
        draws["rmse_norm"] = np.sqrt(_means(residual**2, counts))
        draws["outlier_fraction"] = _means(np.abs(residual) > OUTLIER, counts)
        draws["sigma_mad"] = np.array(
            [
                sigma_mad(np.repeat(residual, count)) if count.any() else np.nan
                for count in counts.astype(np.int64)
            ]
        )
    return draws


def _means(
    values: NDArray[np.float64] | NDArray[np.bool_], counts: NDArray[np.float64]
) -> NDArray[np.float64]:
    """`S` means under the counts of each resample; NaN where none was drawn."""
    total = counts.sum(axis=1)
    sums = counts @ values.astype(np.float64)
    means: NDArray[np.float64] = np.where(
        total > 0, sums / np.maximum(total, 1), np.nan
    )
    return means
