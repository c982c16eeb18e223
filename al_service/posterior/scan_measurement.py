"""A redshift scan as a measurement of z: how precise it is, and when it is doubted.

A scan that is sure is still wrong now and then, and then by any amount: one such object
in a thousand is most of the error of all. What the other measurements of the object say
of z tells the two apart, by Bayes' rule for the odds that the scan is right:

    odds = c / (1 - c) · t((zₛ - zₒ) / σₒ) / σₒ · R

with z short for log(1 + z), c the scan's confidence, zₒ ± σₒ the prediction without the
spectrum, t Student's density, and 1/R that of wrong scans, which lie anywhere.
"""

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from al_service.features.scan.templates import QUASAR_REDSHIFTS
from al_service.features.scanned_redshift import BELIEVED_FROM
from al_service.posterior.features import Features
from al_service.survey.targets import Target

Floats = NDArray[np.float64]

ENOUGH_SCANS: Final = 20
"""Fewer labels of objects with a scan than this leave its variances as stated."""

MEDIAN_SQUARE: Final = 0.454936
"""Median of the square of a standard normal number."""

SMALLEST_SCAN_SCALE: Final = 1e-2
"""Labels that are the scan's own redshifts agree with it: the scan is not therefore
more than ten times as precise as it says."""

TAIL: Final = 2
"""Degrees of freedom: redshifts from fluxes stray further than a Gaussian's, and a scan
that is right must not be doubted because of one that strays."""

WRONG_SCANS_REACH: Final = math.log1p(QUASAR_REDSHIFTS[1])
"""log(1 + z) up to which wrong scans lie: where the templates end."""


def scanned(features: Features) -> NDArray[np.bool_]:
    """`N` flags: a redshift scan speaks for z."""
    if features.scan is None:
        return np.zeros(len(features), dtype=np.bool_)
    return np.asarray(np.isfinite(features.scan[:, 0]))


def scan_scale(
    targets: tuple[str, ...],
    features: Features,
    latent: Floats,
    errors: Floats,
    observed: NDArray[np.bool_],
) -> Floats:
    """By how much the scan's own variances are too small, or too large.

    Args:
        targets: names of the `T` latents.
        features: of `N` labeled objects.
        latent: `N x T` labels.
        errors: `N x T` their standard deviations.
        observed: `N x T` flags.

    Returns:
        One factor.
    """
    if features.scan is None or Target.Z not in targets:
        return np.ones(1)
    column = targets.index(Target.Z)
    rows = scanned(features) & observed[:, column]
    if rows.sum() < ENOUGH_SCANS:
        return np.ones(1)
    z, variance, _ = features.scan[rows].astype(np.float64).T
    error = latent[rows, column] - z
    # The median: one wrong scan in twenty must not blow up all the others.
    ratio = np.median(error**2 / (variance + errors[rows, column] ** 2))
    return np.array([max(float(ratio) / MEDIAN_SQUARE, SMALLEST_SCAN_SCALE)])


def doubted(
    scan: NDArray[np.floating[Any]], center: Floats, variance: Floats
) -> NDArray[np.bool_]:
    """Whether scans contradict what is known without the spectrum.

    Args:
        scan: `N x 3` as `Features.scan`, none of them NaN.
        center: `N` predictions of log(1 + z) without the spectrum.
        variance: `N` their variances, of weights and noise together.

    Returns:
        `N` flags.
    """
    z, own, confidence = scan.astype(np.float64).T
    spread = np.sqrt(variance + own)
    density = student.pdf((z - center) / spread, TAIL) / spread
    right = confidence * density
    wrong = (1.0 - confidence) / WRONG_SCANS_REACH
    return np.asarray(right < BELIEVED_FROM * (right + wrong))
