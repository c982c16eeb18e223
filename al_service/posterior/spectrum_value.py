"""What a spectrum would be worth to an object that has none.

Objects that have one are seen twice: with it, and as if it had never been taken. The
share of their standard deviation that is left with it follows linearly from what is
known without it: no label is needed, and a scan that fails counts as what it is. For
objects without a spectrum it holds as far as they are like those that have one.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.models.samples import evenly
from al_service.posterior.closed_form import tuned_posterior
from al_service.posterior.features import Features
from al_service.posterior.head import Head, with_constant
from al_service.posterior.predictions import Predictions
from al_service.survey.inputs import Modality

Floats = NDArray[np.float64]

FEWEST: Final = 50
"""Objects with a spectrum below which nothing is said of the others."""

MOST: Final = 2048
"""Objects with a spectrum that teach: eight for each of 256 features."""

NO_SPREAD: Final = 1e-9
"""Standard deviation of shares that is rounding: all objects gain alike."""


@dataclass(frozen=True)
class SpectrumValue:
    """How much of each standard deviation a spectrum is expected to leave."""

    weights: Floats
    """`T x (D + 1)`: features without a spectrum, and a constant, to that share."""

    def saving(self, features: Features, predictions: Predictions) -> Floats:
        """By how much a spectrum is expected to lower the standard deviations.

        Args:
            features: of `N` objects.
            predictions: of the same objects.

        Returns:
            `N x T` in the targets' units, from 0 to what is predicted now; NaN for
            objects that have a spectrum.
        """
        left = with_constant(features.phi).astype(np.float64) @ self.weights.T
        spread = np.hypot(predictions.epistemic, predictions.aleatoric)
        # On average knowing more never hurts; beyond 0 and 1 the line extrapolates.
        saved = spread * (1.0 - np.clip(left, 0.0, 1.0))
        return np.where(has_spectrum(features)[:, None], np.nan, saved)


def fit_spectrum_value(head: Head, features: Features) -> SpectrumValue | None:
    """Learn from objects that have a spectrum what it is worth to others.

    Shares are fitted, not their logarithms: a scan that is believed leaves a hundredth
    of z's standard deviation and one that fails all of it, and what is wanted is the
    mean of both.

    Args:
        head: predicts.
        features: of objects of the pool; those without a spectrum are not looked at.

    Returns:
        None where fewer than `FEWEST` have a spectrum, or nobody has looked at them
        without it.
    """
    rows = evenly(np.flatnonzero(has_spectrum(features)), MOST)
    if features.blind_phi is None or len(rows) < FEWEST:
        return None
    seen = features.take(rows)
    unseen = seen.without_spectra()
    share = head.predict(seen).total_spread / head.predict(unseen).total_spread
    design = with_constant(unseen.phi).astype(np.float64)
    return SpectrumValue(np.stack([_line(design, one) for one in share.T]))


def has_spectrum(features: Features) -> NDArray[np.bool_]:
    """`N` flags: a spectrum is part of what is known."""
    return np.asarray((features.patterns & int(Modality.SPECTRUM)) != 0)


def _line(design: Floats, share: Floats) -> Floats:
    """`D + 1` weights of one target, under the prior that predicts left-out shares."""
    mean, spread = float(np.mean(share)), float(np.std(share))
    weights = np.zeros(design.shape[1])
    if spread > NO_SPREAD:
        _, posterior = tuned_posterior(
            design, (share - mean) / spread, np.ones(len(share))
        )
        weights = posterior.mean * spread
    weights[-1] += mean
    return weights
