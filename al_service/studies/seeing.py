"""As what a strategy of a replay sees objects: last-layer features or gradients."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from al_service.acquisition.config import WALKING, StrategyConfig
from al_service.acquisition.config import Features as Choice
from al_service.acquisition.gradients import through_gradients, unit_scale
from al_service.acquisition.information import Knowledge
from al_service.acquisition.knowing import aim_rows
from al_service.models.network import Network
from al_service.posterior.features import Features
from al_service.posterior.gradient_features import sketch_gradients
from al_service.posterior.head import Head
from al_service.survey.pool_view import PoolView


@dataclass(frozen=True)
class Seen:
    """The objects of a pool as a strategy compares them."""

    features: NDArray[np.float32]
    """`N x D`; of gradients those of objects that may be asked for, others 0."""
    scale: NDArray[np.float64]
    """`D` factors before distances are taken, or one."""
    knowledge: Knowledge | None


def seen_objects(
    strategy: StrategyConfig,
    view: PoolView,
    network: Network,
    head: Head,
    features: Features,
    *,
    pool_rows: NDArray[np.int64],
    knowledge: Knowledge | None,
) -> Seen:
    """What the strategy's settings ask for.

    Args:
        strategy: says which features.
        view: the pool, as the network may look at it.
        network: of this round.
        head: its last layer.
        features: of all `N` objects.
        pool_rows: rows of the objects that may be asked for, ascending.
        knowledge: of the posterior, in last-layer features.
    """
    if strategy.features is Choice.LAST_LAYER or strategy.name not in WALKING:
        return Seen(features.phi, network.whitening.distance_scale, knowledge)
    sketched = sketch_gradients(network, head, view.of(pool_rows))
    gradients = np.zeros((len(view.arrays), sketched.shape[1]), dtype=sketched.dtype)
    gradients[pool_rows] = sketched
    sample = gradients[aim_rows(pool_rows)]
    known = None if knowledge is None else through_gradients(knowledge, sample)
    return Seen(gradients, unit_scale(sample), known)
