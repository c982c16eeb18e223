"""How good whole predictive distributions are, beyond their width and place.

Schmidt et al. (2020, MNRAS 499, 1587) compare photometric-redshift codes by these, and
find that a code which gives everybody the training distribution passes all tests that
look at percentiles alone: read them beside the error.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kstest

from al_service.posterior.predictions import Predictions
from al_service.survey.targets import Target

Floats = NDArray[np.float64]

PIT_BINS: Final = 20
"""Bars of the histogram: five percentiles each."""


def pit_distance(pit: Floats) -> float:
    """Largest distance of percentiles from uniform (Kolmogorov & Smirnov).

    Args:
        pit: `N` predicted probabilities of less than the truth, NaN where unknown.

    Returns:
        0 where the distributions are right; NaN without any label.
    """
    known = pit[np.isfinite(pit)]
    if len(known) == 0:
        return math.nan
    return float(kstest(known, "uniform").statistic)


def pit_histogram(pit: Floats, bins: int = PIT_BINS) -> Floats:
    """Density of percentiles in equal bins: 1 everywhere if all is well.

    Args:
        pit: `N` percentiles within [0, 1], NaN where unknown.
        bins: how many.
    """
    known = pit[np.isfinite(pit)]
    counts, _ = np.histogram(known, bins=bins, range=(0.0, 1.0))
    return np.asarray(counts * (bins / max(len(known), 1)), dtype=np.float64)


def cde_loss(predictions: Predictions, values: Floats) -> Floats:
    """Conditional density estimation loss: ∫ p² dy - 2 p(truth) (Izbicki & Lee 2017).

    Its mean is, up to a constant of the data, the squared distance between the
    predicted and the true conditional densities. In closed form for the Gaussian and,
    for z, for the log-normal of 1 + z.

    Args:
        predictions: of `N` objects.
        values: `N x T` true values in the targets' units, NaN where unknown.

    Returns:
        `N x T` in inverse target units, less is better, NaN where unknown.
    """
    spread = predictions.total_spread
    squared = 1.0 / (2.0 * math.sqrt(math.pi) * spread)
    # p(z) is p(u) / (1 + z), and p(u)² a Gaussian of half the variance, over which
    # 1 / (1 + z) = exp(-u) has this mean.
    logarithmic = np.array([target == Target.Z for target in predictions.targets])
    stretch = np.where(logarithmic, -predictions.center + 0.25 * spread**2, 0.0)
    squared = squared * np.exp(stretch)
    return np.asarray(squared - 2.0 * np.exp(-predictions.nll(values)))
