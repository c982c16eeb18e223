"""The last layer on the labels of this moment, with pool-density weights."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from al_service.acquisition.density import density_weights
from al_service.models.network import Network
from al_service.posterior.head import Head, fit_head
from al_service.rounds.scoring import FeatureCache
from al_service.rounds.training_data import LabeledObjects

DENSITY_SAMPLE: Final = 20_000
"""Pool objects that say which label stands for how many: with more the nearest-label
search costs seconds and moves the weights by less than a per cent."""


def refit(
    network: Network,
    cache: FeatureCache,
    labels: LabeledObjects,
    *,
    alpha: float,
) -> Head:
    """The exact posterior of the last layer, given labels.

    Args:
        network: whose last layer.
        cache: the pool's features under this network.
        labels: `M` labeled objects.
        alpha: exponent of the pool-density weights, which enter the mean only;
            0 for none.
    """
    return fit_head(
        network,
        cache.take(labels.rows),
        labels.values,
        labels.errors,
        label_weights(cache, labels.rows, alpha=alpha),
    )


def label_weights(
    cache: FeatureCache, rows: NDArray[np.int64], *, alpha: float
) -> NDArray[np.float64] | None:
    """How many pool objects each label stands for, to the power alpha, mean 1.

    Args:
        cache: the pool's features.
        rows: `M` rows of the labeled objects.
        alpha: 0 for no weights.

    Returns:
        `M` weights, or None.
    """
    if alpha == 0.0 or len(rows) == 0:
        return None
    phi: NDArray[Any] = cache.arrays["phi"]
    others = np.setdiff1d(np.arange(cache.n_objects), rows)
    return density_weights(phi[rows], phi[evenly(others, DENSITY_SAMPLE)], alpha)


def evenly(rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """At most `most` of the rows, evenly spaced, in their order."""
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]
