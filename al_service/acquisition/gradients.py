"""Gradient features in the place of φ: their scale, and the prior that fits them."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from al_service.acquisition.information import Knowledge


def unit_scale(gradients: NDArray[np.floating]) -> NDArray[np.float64]:
    """One factor that gives gradients the mean squared length 1.

    Args:
        gradients: `K x P` of a sample of the pool.

    Returns:
        One number: gradients have no directions that were lifted, as whitened φ has.
    """
    square = _mean_square(gradients)
    return np.array([1.0 / np.sqrt(square) if square > 0.0 else 1.0])


def through_gradients(
    knowledge: Knowledge, gradients: NDArray[np.floating]
) -> Knowledge:
    """What is known of the posterior, for weights of gradient features.

    The prior is such that the pool is as uncertain before any label as it was in φ:
    what the network predicts is the same.

    Args:
        knowledge: of the last layer.
        gradients: `K x P` of the aims, in their order.
    """
    aims = knowledge.aims
    plain, steep = _mean_square(aims.features), _mean_square(gradients)
    ratio = steep / plain if plain > 0.0 and steep > 0.0 else 1.0
    return replace(
        knowledge,
        prior=knowledge.prior * ratio,
        aims=replace(aims, features=np.asarray(gradients, dtype=np.float32)),
    )


def _mean_square(features: NDArray[np.floating]) -> float:
    """The mean squared length of `K x D` rows, summed in a fixed order."""
    if len(features) == 0:
        return 0.0
    exact = features.astype(np.float64)
    return float(np.einsum("kd,kd->", exact, exact)) / len(exact)
