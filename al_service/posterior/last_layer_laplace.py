"""Laplace's approximation of a trained network's last layer.

The weights stay where training left them; the curvature of the loss there says how well
they are known (MacKay 1992; Daxberger et al. 2021, arXiv:2106.14806). The service's own
last layer differs: its mean is computed, not trained, and its prior precision is chosen
by left-out labels instead of by the evidence.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from al_service.posterior.closed_form import exact_posterior

Floats = NDArray[np.float64]

PRECISIONS: Final = np.logspace(-2, 6, 33)
"""Prior precisions to choose from."""


def laplace_factor(design: Floats, weights: Floats, noise: Floats) -> Floats:
    """Factor of the covariance of one target's weights.

    Args:
        design: `N x D` features, the last of them the constant 1.
        weights: `D` where training left them.
        noise: `N` variances of the labels.

    Returns:
        `D x D`, upper triangular, with covariance factor factorᵀ, under the prior
        precision that makes the labels most probable.
    """
    scaled = design / np.sqrt(noise)[:, None]
    curvature = np.maximum(eigh(scaled.T @ scaled, eigvals_only=True), 0.0)
    size = float(weights @ weights)
    scores = [_evidence(curvature, size, float(alpha)) for alpha in PRECISIONS]
    precision = np.full(len(weights), PRECISIONS[int(np.argmax(scores))])
    return exact_posterior(design, np.zeros(len(noise)), noise, precision).factor


def _evidence(curvature: Floats, size: float, alpha: float) -> float:
    """Log evidence of the labels up to what does not depend on the precision."""
    n = len(curvature)
    determinant = float(np.sum(np.log(curvature + alpha)))
    return 0.5 * (n * math.log(alpha) - alpha * size - determinant)
