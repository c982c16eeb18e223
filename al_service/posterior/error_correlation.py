"""How errors of the latents go together.

A quantile is predicted as the median and the steps from there. Galaxies that form fewer
stars than is predicted often have wider posteriors below, too: median and steps err
together, and their variances do not just add up. Taken for independent, what should
hold 68 % of the 2.5 % quantiles held 57 % (images, 6,000 labels).

What a spectrum explains moves both, so that every pattern of modalities has a
correlation of its own. It is that of the noise: errors that labels state of themselves
are taken off. What the weights leave open goes together in the same way, for nearly all
targets are labeled on the same objects.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DRAWN_IN: Final = 4.0
"""Standard deviations to which larger errors are drawn in: one in ten thousand of a
Gaussian's, and a catastrophe among a thousand would set all correlations."""

DOUBT: Final = 20.0
"""Labels' worth of not believing what was found: the error of a correlation of twenty
is 0.2, as large as those that matter here."""

_SMALLEST: Final = 1e-3
"""Least eigenvalue before the diagonal is one again: what is never quite known is never
quite certain."""


def error_correlation(
    errors: Floats,
    stated: Floats | None = None,
    believed: Floats | None = None,
) -> Floats:
    """Correlation of the noise in standardized errors.

    About zero, not about their mean: what all predictions are off by goes together.

    Args:
        errors: `N x T` differences of labels and predictions that did not know them,
            in predicted standard deviations; NaN where unknown.
        stated: `N x T x T` covariance of that part of them which labels state of
            themselves; None: nothing.
        believed: `T x T`, before anything was seen; None: nothing goes together.

    Returns:
        `T x T`, positive definite.
    """
    known = np.isfinite(errors)
    both = known.astype(np.float64)
    drawn = np.where(known, np.clip(errors, -DRAWN_IN, DRAWN_IN), 0.0)
    products = drawn.T @ drawn
    squares = (drawn**2).T @ both  # of one, where the other is known, too
    count = both.T @ both
    if stated is not None:
        part = np.where(known[:, :, None] & known[:, None, :], stated, 0.0)
        own = np.diagonal(part, axis1=1, axis2=2)
        noise = both * (1.0 - own)
        products = products - part.sum(axis=0)
        # Not below what the predictions call noise: what labels state is rough.
        least = np.minimum(squares, noise.T @ both)
        squares = np.maximum(squares - own.T @ both, least)
        # A label that is nearly all error of its own says little of the noise.
        count = noise.T @ noise
    size = np.sqrt(squares * squares.T)
    found = np.divide(products, size, out=np.zeros_like(size), where=size > 0.0)
    before = np.eye(len(found)) if believed is None else believed
    mixed = (np.clip(found, -1.0, 1.0) * count + before * DOUBT) / (count + DOUBT)
    np.fill_diagonal(mixed, 1.0)
    return _definite(mixed)


def _definite(correlation: Floats) -> Floats:
    """The same where it can be: pairs of different objects need not fit together."""
    values, vectors = np.linalg.eigh(correlation)
    definite = (vectors * np.maximum(values, _SMALLEST)) @ vectors.T
    scale = np.sqrt(np.diag(definite))
    return np.asarray(definite / np.outer(scale, scale))
