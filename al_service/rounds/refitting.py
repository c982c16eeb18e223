"""The last layer on the labels of this moment, with pool-density weights."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from al_service.acquisition.density import density_weights, represented_rows
from al_service.models.network import Network
from al_service.posterior.head import Head
from al_service.posterior.teaching import fit_head
from al_service.rounds.scoring import FeatureCache
from al_service.rounds.training_data import LabeledObjects


def refit(
    network: Network,
    cache: FeatureCache,
    labels: LabeledObjects,
    *,
    pool_rows: NDArray[np.int64],
    alpha: float,
) -> Head:
    """The exact posterior of the last layer, given labels.

    Args:
        network: whose last layer.
        cache: the pool's features under this network.
        labels: `M` labeled objects.
        pool_rows: rows of the objects that may be asked for.
        alpha: exponent of the pool-density weights, which enter the mean only;
            0 for none.
    """
    return fit_head(
        network,
        cache.take(labels.rows),
        labels.values,
        labels.errors,
        label_weights(cache, labels.rows, pool_rows=pool_rows, alpha=alpha),
    )


def label_weights(
    cache: FeatureCache,
    rows: NDArray[np.int64],
    *,
    pool_rows: NDArray[np.int64],
    alpha: float,
) -> NDArray[np.float64] | None:
    """How many pool objects each label stands for, to the power alpha, mean 1.

    Args:
        cache: the pool's features.
        rows: `M` rows of the labeled objects.
        pool_rows: rows of the objects that may be asked for.
        alpha: 0 for no weights.

    Returns:
        `M` weights, or None.
    """
    if alpha == 0.0 or len(rows) == 0:
        return None
    phi: NDArray[Any] = cache.arrays["phi"]
    return density_weights(phi[rows], phi[represented_rows(pool_rows, rows)], alpha)
