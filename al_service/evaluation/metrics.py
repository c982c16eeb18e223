"""Point and distribution metrics of one target, in plain NumPy.

Point metrics of redshift follow the photometric-redshift literature and RAIL
(`rail.evaluation`): everything on dz/(1+z). The names are those of the whole service.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from al_service.errors import InvalidInput

REDSHIFT = "z"

OUTLIER = 0.05
"""|dz|/(1+z) beyond which a bright SDSS galaxy's redshift is an outlier."""

_NORMAL_MAD = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""

_NORMAL_IQR = 1.349
"""Interquartile range of a normal distribution over its standard deviation."""

_RAIL_OUTLIER = 0.06
"""Least |dz|/(1+z) of an outlier in RAIL (LSST science requirements)."""


def normalized_residual(
    truth: NDArray[np.float64], prediction: NDArray[np.float64]
) -> NDArray[np.float64]:
    """dz/(1+z): `N` redshift errors in units of the stretch of the spectrum."""
    return (prediction - truth) / (1.0 + truth)


def sigma_mad(residual: NDArray[np.float64]) -> float:
    """Spread of `N` residuals by median absolute deviation (RAIL `PointSigmaMAD`)."""
    return float(_NORMAL_MAD * np.median(np.abs(residual - np.median(residual))))


def sigma_iqr(residual: NDArray[np.float64]) -> float:
    """Spread of `N` residuals by their interquartile range (RAIL `PointSigmaIQR`)."""
    low, high = np.percentile(residual, [25.0, 75.0])
    return float((high - low) / _NORMAL_IQR)


def median_bias(residual: NDArray[np.float64]) -> float:
    """Median of `N` residuals (RAIL `PointBias`)."""
    return float(np.median(residual))


def outlier_rate(residual: NDArray[np.float64]) -> float:
    """Share beyond max(0.06, 3 sigma_IQR) (RAIL `PointOutlierRate`)."""
    limit = max(_RAIL_OUTLIER, 3.0 * sigma_iqr(residual))
    return float(np.mean(np.abs(residual) > limit))


def point_metrics(
    target: str, truth: NDArray[np.float64], prediction: NDArray[np.float64]
) -> dict[str, float]:
    """How close point predictions are.

    Args:
        target: name of the target; redshift has three metrics of its own.
        truth: `N` true values, target unit, finite, at least one.
        prediction: `N` predicted values, target unit.

    Returns:
        `rmse, mae, bias` (mean of prediction minus truth) in the target's unit, `r2`
        (NaN where the truth does not vary), and for redshift `rmse_norm, sigma_mad,
        outlier_fraction` of dz/(1+z).
    """
    _check(truth, prediction)
    error = prediction - truth
    # Rounding leaves a variance to equal numbers too.
    variance = float(np.var(truth)) if np.ptp(truth) > 0 else 0.0
    metrics = {
        "rmse": math.sqrt(np.mean(error**2)),
        "mae": float(np.mean(np.abs(error))),
        "r2": 1.0 - float(np.mean(error**2)) / variance if variance > 0 else math.nan,
        "bias": float(np.mean(error)),
    }
    if target == REDSHIFT:
        residual = normalized_residual(truth, prediction)
        metrics["rmse_norm"] = math.sqrt(np.mean(residual**2))
        metrics["sigma_mad"] = sigma_mad(residual)
        metrics["outlier_fraction"] = float(np.mean(np.abs(residual) > OUTLIER))
    return metrics


def gaussian_crps(
    truth: NDArray[np.float64],
    mean: NDArray[np.float64],
    deviation: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Continuous ranked probability score of normal predictions (Gneiting 2005).

    Args:
        truth: `N` true values, target unit.
        mean: `N` predictive means, target unit.
        deviation: `N` predictive standard deviations, target unit, positive.

    Returns:
        `N` scores in the target's unit, at least 0, less is better: the absolute
        error where the deviation vanishes.
    """
    _check(truth, mean)
    u = (truth - mean) / deviation
    density = np.exp(-0.5 * u**2) / math.sqrt(2.0 * math.pi)
    score: NDArray[np.float64] = deviation * (
        u * (2.0 * ndtr(u) - 1.0) + 2.0 * density - 1.0 / math.sqrt(math.pi)
    )
    return score


def gaussian_nll(
    truth: NDArray[np.float64],
    mean: NDArray[np.float64],
    deviation: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Negative log density of the truth under normal predictions.

    Args:
        truth: `N` true values, target unit.
        mean: `N` predictive means, target unit.
        deviation: `N` predictive standard deviations, target unit, positive.

    Returns:
        `N` values in nats of density per target unit.
    """
    _check(truth, mean)
    u = (truth - mean) / deviation
    nll: NDArray[np.float64] = (
        0.5 * u**2 + np.log(deviation) + 0.5 * math.log(2.0 * math.pi)
    )
    return nll


def covered(
    truth: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Which of `N` intervals hold the truth: 1 or 0; their mean is the coverage."""
    _check(truth, low)
    return ((low <= truth) & (truth <= high)).astype(np.float64)


def _check(truth: NDArray[np.float64], prediction: NDArray[np.float64]) -> None:
    if truth.shape != prediction.shape or truth.ndim != 1 or len(truth) == 0:
        raise InvalidInput(
            "expected as many predictions as true values and at least one, got "
            f"shapes {prediction.shape} and {truth.shape}"
        )
    if not np.all(np.isfinite(truth)):
        raise InvalidInput("expected finite true values, got missing ones among them")
