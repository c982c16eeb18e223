"""Which walk a strategy takes, started from candidates, centers and the posterior."""

import numpy as np
from numpy.typing import NDArray

from al_service.acquisition.config import Strategy, StrategyConfig
from al_service.acquisition.distances import Nearest, nearest_center
from al_service.acquisition.diversity import LargestClusterMaximumDistance
from al_service.acquisition.farthest_first import FarthestFirst
from al_service.acquisition.information import (
    aim_moment,
    covariance_of,
    unit_noise,
)
from al_service.acquisition.information_gain import GreedyGain
from al_service.acquisition.prediction_gain import GreedyPrediction
from al_service.acquisition.spreading import Spreading, posterior_scaled
from al_service.acquisition.walking import Candidates, Walk
from al_service.errors import InvalidInput
from al_service.models.samples import evenly


def start_walk(
    strategy: StrategyConfig,
    candidates: Candidates,
    center_features: NDArray[np.floating],
    *,
    scale: NDArray[np.float64],
    seed: int,
) -> Walk:
    """A strategy's walk, at its beginning.

    Args:
        strategy: one that walks.
        candidates: at least one.
        center_features: `M x D` features of labeled and pending objects.
        scale: `D` factors on features before distances are taken.
        seed: of draws.
    """
    if strategy.name in (Strategy.LCMD, Strategy.CORESET):
        return _by_distance(strategy.name, candidates, center_features, scale)
    return _by_posterior(strategy, candidates, center_features, seed)


def _by_distance(
    name: Strategy,
    candidates: Candidates,
    center_features: NDArray[np.floating],
    scale: NDArray[np.float64],
) -> Walk:
    factors = scale.astype(np.float32)
    features = candidates.features[candidates.rows].astype(np.float32, copy=False)
    features *= factors  # a copy of their rows already
    centers = np.asarray(center_features, dtype=np.float32) * factors
    if len(centers) == 0:
        centers = features.mean(axis=0, dtype=np.float64)[None].astype(np.float32)
    if candidates.find_nearest is None or len(center_features) == 0:
        nearest: Nearest = nearest_center(features, centers)
    else:
        nearest = candidates.find_nearest(candidates.rows, features, centers)
    if name is Strategy.CORESET:
        return FarthestFirst(features, nearest, object_ids=candidates.object_ids)
    return LargestClusterMaximumDistance(
        features,
        nearest,
        n_centers=len(centers),
        object_ids=candidates.object_ids,
    )


def _by_posterior(
    strategy: StrategyConfig,
    candidates: Candidates,
    center_features: NDArray[np.floating],
    seed: int,
) -> Walk:
    knowledge = candidates.knowledge
    if knowledge is None:
        raise InvalidInput(
            f"strategy {strategy.name}: expected what is known of the posterior, found "
            "nothing"
        )
    features = candidates.features[candidates.rows]
    points = unit_noise(features, knowledge.precision)
    centers = unit_noise(center_features, knowledge.center_precision)
    covariance = covariance_of(centers, knowledge.prior)
    if strategy.name is Strategy.KMEANSPP:
        return Spreading(
            posterior_scaled(points, covariance),
            object_ids=candidates.object_ids,
            seed=seed,
        )
    if strategy.name is Strategy.MAX_DET:
        return GreedyGain(points, covariance, object_ids=candidates.object_ids)
    aims = knowledge.aims
    if strategy.name is Strategy.BAIT:
        # In units of the targets' spread, not of the noise: that is what errors count.
        plain = unit_noise(aims.features, np.ones(len(aims.weights)))
        return GreedyGain(
            points,
            covariance,
            object_ids=candidates.object_ids,
            moment=aim_moment(plain, aims.weights),
        )
    some = evenly(np.arange(len(aims.weights)), strategy.aims)
    return GreedyPrediction(
        points,
        covariance,
        object_ids=candidates.object_ids,
        aims=unit_noise(aims.features[some], aims.precision[some]),
        weights=aims.weights[some],
    )
