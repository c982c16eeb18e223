"""What a label stands for: the share of the pool that is nearest to it."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.acquisition.distances import nearest_center
from al_service.errors import InvalidInput
from al_service.models.samples import evenly

DENSITY_SAMPLE: Final = 20_000
"""Pool objects that say which label stands for how many: with more the nearest-label
search costs seconds and moves the weights by less than a per cent."""


def represented_rows(
    pool_rows: NDArray[np.int64], labeled_rows: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The objects that labels are weighed by: a sample of the pool without them.

    Args:
        pool_rows: rows of the objects that may be asked for. Objects that examine are
            no part of it: training must not know where they are.
        labeled_rows: rows of the labels.

    Returns:
        At most `DENSITY_SAMPLE` rows, ascending.
    """
    return evenly(np.setdiff1d(pool_rows, labeled_rows), DENSITY_SAMPLE)


def density_weights(
    labeled_features: NDArray[np.floating],
    pool_features: NDArray[np.floating],
    alpha: float,
) -> NDArray[np.float64]:
    """Training weights that give the bulk of the pool its due.

    Active choice buys the tail and pays in the bulk; weighting each label by the
    number of pool objects nearest to it, to the power `alpha`, pays back (SCIENCE
    3a'). A label counts as one of the objects it stands for, so that no weight is 0.
    These weights enter the posterior mean and the level of the noise, never the
    covariance that ranks.

    Args:
        labeled_features: `M x D` features of the labels.
        pool_features: `N x D` features of the pool without them.
        alpha: 0 for equal weights, 1 for the full count.

    Returns:
        `M` weights with mean 1.
    """
    if alpha < 0:
        raise InvalidInput(f"expected a density exponent of at least 0, got {alpha}")
    count = len(labeled_features)
    if count == 0 or len(pool_features) == 0 or alpha == 0:
        return np.ones(count)
    nearest = nearest_center(
        np.ascontiguousarray(pool_features, dtype=np.float32),
        np.ascontiguousarray(labeled_features, dtype=np.float32),
    )
    represented = 1 + np.bincount(nearest.center, minlength=count)
    weights: NDArray[np.float64] = represented.astype(np.float64) ** alpha
    weights /= weights.mean()
    return weights
