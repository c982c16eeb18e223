"""The level of the noise, from labels that members of the network did not see.

Residuals of labels that trained the features are too small, also leave-one-out ones:
in a trial with 4,000 labels their squares were 0.6 of those of new galaxies.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from al_service.models.whitening import Whitening
from al_service.posterior.closed_form import tuned_posterior

Floats = NDArray[np.float64]

ENOUGH: Final = 10
"""Fewer labels than this say nothing about the noise."""

PRIOR_SPREAD: Final = 0.5
"""Standard deviation of a label of which nobody knows anything: half a dex of a
star-formation rate, half an e-fold of 1 + z."""

SMALLEST_SCALE: Final = 1e-2
"""Held-aside labels that nearly all agree may call the noise ten times too large, not
absent: a variance of 0 would make the next label infinitely surprising."""

_LEVELS: Final = (0.68, 0.95)
"""Intervals that the noise should serve."""


@dataclass(frozen=True)
class NoiseLevel:
    """What labels say about the noise that a network predicts."""

    scale: Floats
    """`T` factors by which the predicted variances are too small."""
    limits: Floats
    """`T x 2` smallest and largest log s² that labels have vouched for."""


def noise_level(
    phi: Floats,
    values: Floats,
    log_noise: Floats,
    error_variance: Floats,
    *,
    observed: NDArray[np.bool_],
    taught: NDArray[np.bool_],
    spread: Floats,
    weights: Floats,
) -> NoiseLevel:
    """By how much the predicted noise is too small, and where it may be believed.

    Every member gets a last layer of its own from the labels it has seen and predicts
    those it has not. Far from all labels the network extrapolates log s² without
    bound, so that only the range over the labels counts.

    Args:
        phi: `M x N x D/M` raw features.
        values: `N x T` labels as latents of zero mean and unit spread.
        log_noise: `N x T` predicted log s², the mean over all members: most of them saw
            the label. With the mean over those that did not, mean coverages differ by
            0.2 points or less, between seeds by one and more (300 and 4,000 labels,
            `posterior/accuracy.py`); what serves is the mean over all.
        error_variance: `N x T` variances of the labels themselves.
        observed: `N x T` which labels are known.
        taught: `M x N` which labels each member has seen.
        spread: `T` unit of the latents.
        weights: `N` pool-density weights: labels that a strategy chose are odder than
            the pool, and intervals that serve them are too wide for all others.
    """
    whitened = [Whitening.fit(member).apply(member) for member in phi]
    noise = np.exp(log_noise) + error_variance
    scale, limits = np.ones(values.shape[1]), np.empty((values.shape[1], 2))
    for t in range(values.shape[1]):
        known = observed[:, t]
        said = values[known, t]
        if len(said) < ENOUGH or not said.any():
            limits[t] = math.log(_unexamined_noise(said, float(spread[t])))
            continue
        limits[t] = log_noise[known, t].min(), log_noise[known, t].max()
        scale[t] = _latent_scale(
            whitened,
            values[:, t],
            noise[:, t],
            observed=known,
            taught=taught,
            weights=weights,
        )
    return NoiseLevel(scale, limits)


def _unexamined_noise(values: Floats, spread: float) -> float:
    """The variance of a latent whose labels are too few or all the same.

    Their scatter, and one label's worth of not knowing better: a hundred equal labels
    promise a tenth of `PRIOR_SPREAD`, a single one seven tenths.
    """
    unknown = (PRIOR_SPREAD / spread) ** 2
    return float(unknown + (values**2).sum()) / (1.0 + len(values))


def _latent_scale(
    phi: list[NDArray[np.float32]],
    values: Floats,
    noise: Floats,
    *,
    observed: NDArray[np.bool_],
    taught: NDArray[np.bool_],
    weights: Floats,
) -> float:
    scores: list[float] = []
    heavy: list[float] = []
    for member, seen in zip(phi, taught, strict=True):
        known, new = observed & seen, observed & ~seen
        if known.sum() < ENOUGH:
            continue
        design = np.column_stack([member.astype(np.float64), np.ones(len(member))])
        _, posterior = tuned_posterior(design[known], values[known], noise[known])
        epistemic = ((design[new] @ posterior.factor) ** 2).sum(axis=1)
        error = values[new] - design[new] @ posterior.mean
        scores += list(np.abs(error) / np.sqrt(noise[new] + epistemic))
        heavy += list(weights[new])
    if len(scores) < ENOUGH:
        return 1.0
    return max(_variance_ratio(np.array(scores), np.array(heavy)), SMALLEST_SCALE)


def _variance_ratio(scores: Floats, weights: Floats) -> float:
    """The factor on a variance by which central intervals cover what they promise.

    Errors have longer tails than a Gaussian: the mean square follows a few of them
    and makes the 68 % interval cover 74 %. The compromise misses both levels a little.
    """
    ends = np.quantile(scores, _LEVELS, weights=weights, method="inverted_cdf")
    widths = ends / ndtri(0.5 + 0.5 * np.array(_LEVELS))
    return float(np.prod(widths))
