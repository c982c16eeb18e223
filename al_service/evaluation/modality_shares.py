"""What each of two modalities contributes to a fused prediction.

Both measures ask one trained model with one, the other or both modalities hidden.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ModalityShares:
    """Contributions to one target, of the first and of the second modality."""

    utilization: tuple[float, float]
    """By which share each lowers the error of the other alone."""
    shapley: tuple[float, float]
    """Their parts of the explained variance; they add up to that of both."""

    @property
    def imbalance(self) -> float:
        """Utilization of the first less that of the second: 0 where balanced."""
        return self.utilization[0] - self.utilization[1]


def modality_shares(
    truth: Floats, *, first: Floats, second: Floats, both: Floats, neither: Floats
) -> ModalityShares:
    """Conditional utilization rates and Shapley values.

    u(a|b) = (E[b] - E[a, b]) / E[b] with the root mean squared error E (Wu et al.
    2022, arXiv:2202.05306, for regression); φ_a = ½ (v(a) - v(∅)) + ½ (v(a, b) - v(b))
    with the share v of the variance that is explained (Shapley 1953).

    Args:
        truth: `N` true values, target unit, finite.
        first: `N` predictions of the model from the first modality alone.
        second: likewise from the second alone.
        both: from both.
        neither: from none.

    Returns:
        NaN where an error or the variance vanishes.
    """
    error = {
        name: math.sqrt(float(np.mean((prediction - truth) ** 2)))
        for name, prediction in (("first", first), ("second", second), ("both", both))
    }
    value = [_explained(truth, part) for part in (neither, first, second, both)]
    none, one, other, all_ = value
    return ModalityShares(
        (
            _lowered(error["second"], error["both"]),
            _lowered(error["first"], error["both"]),
        ),
        (
            0.5 * (one - none) + 0.5 * (all_ - other),
            0.5 * (other - none) + 0.5 * (all_ - one),
        ),
    )


def _lowered(alone: float, together: float) -> float:
    return (alone - together) / alone if alone > 0 else math.nan


def _explained(truth: Floats, prediction: Floats) -> float:
    # Rounding leaves a variance to equal numbers too.
    if np.ptp(truth) == 0:
        return math.nan
    return 1.0 - float(np.mean((prediction - truth) ** 2) / np.var(truth))
