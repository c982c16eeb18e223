"""How much of an object's uncertainty a label would remove, over all targets."""

import numpy as np
from numpy.typing import NDArray

from al_service.errors import InvalidInput


def total_variance(
    epistemic: NDArray[np.floating], weights: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """The score that batches show: epistemic variance summed over targets.

    Each target's variance is measured in units of its label noise, so that targets
    of different units may be added and hopelessly noisy objects do not win
    (MacKay 1992).

    Args:
        epistemic: `N x T` epistemic variance over noise variance, at least 0.
        weights: `T` of the targets; default: 1.

    Returns:
        `N` sums in float64; more is more uncertain.
    """
    if epistemic.ndim != 2 or not np.all(epistemic >= 0):
        raise InvalidInput(
            "expected N x T variances of at least 0, got shape "
            f"{epistemic.shape} with minimum {np.min(epistemic, initial=np.inf)}"
        )
    exact = epistemic.astype(np.float64)
    if weights is not None:
        exact *= weights
    total: NDArray[np.float64] = exact.sum(axis=1)
    return total
