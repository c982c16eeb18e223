"""What a replayed campaign knows between rounds, and how it chooses a batch."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from al_service.acquisition.density import density_weights, represented_rows
from al_service.acquisition.knowing import (
    aim_rows,
    knowledge_of,
    precision_of,
    weights_of,
)
from al_service.acquisition.ranking import one_per_galaxy, unblocked
from al_service.acquisition.strategies import Strategy, rank
from al_service.acquisition.uncertainty import total_variance
from al_service.models.network import Network
from al_service.posterior.features import Features
from al_service.posterior.head import Head
from al_service.studies.arms import Arm
from al_service.studies.guarding import held_back, strata_of_rows
from al_service.studies.seeing import seen_objects
from al_service.studies.sky import Sky
from al_service.studies.spoiling import Told
from al_service.survey.pool_arrays import PoolArrays
from al_service.survey.pool_view import PoolView

_REACH = 8
"""Batches that a quota may choose from: a service orders the head of its queue."""


@dataclass
class Campaign:
    """The state between rounds."""

    arm: Arm
    told: Told
    """The pool as it meets it."""
    sky: Sky
    labeled: NDArray[np.int64]
    """Rows in the order in which they were labeled."""

    weights: NDArray[np.float64] | None = None
    """Their pool-density weights in the latest features; None before there are any."""

    @property
    def view(self) -> PoolView:
        """What its networks may look at."""
        return self.told.view

    @property
    def arrays(self) -> PoolArrays:
        """The pool."""
        return self.view.arrays

    @property
    def by_lot(self) -> bool:
        """Whether random keys alone decide: nobody has to look at the pool."""
        strategy = self.arm.strategy
        return strategy.name is Strategy.RANDOM and strategy.quota == 1.0

    def looked_at(self, *, last: bool) -> NDArray[np.int64]:
        """Rows whose features a round needs, ascending.

        Args:
            last: whether nothing is asked for any more.
        """
        rows = [self.labeled, self.sky.test]
        if self.arm.strategy.weights_alpha > 0 or not (last or self.by_lot):
            rows.append(self.sky.pool)
        return np.unique(np.concatenate(rows))

    @property
    def free(self) -> NDArray[np.int64]:
        """Rows that can still be asked."""
        return self.sky.pool[~np.isin(self.sky.pool, self.labeled)]

    def weigh(self, phi: NDArray[np.float32]) -> None:
        """Weigh the labels by the density of the pool, if the strategy does so."""
        alpha = self.arm.strategy.weights_alpha
        if alpha > 0:
            others = represented_rows(self.sky.pool, self.labeled)
            self.weights = density_weights(phi[self.labeled], phi[others], alpha)


def choose(
    campaign: Campaign,
    network: Network,
    features: Features,
    head: Head,
    *,
    size: int,
    seed: int,
) -> None:
    """Reveal the labels of the next batch: its random share, then the ranking's.

    Args:
        campaign: gets the batch, and new weights where it has any.
        network: under which the features are.
        features: of all objects of the pool.
        head: its last layer.
        size: of the batch.
        seed: of the ranking's draws.
    """
    drawn = size if campaign.by_lot else round(size * campaign.arm.random_share)
    if drawn:
        lot = _by_lot(campaign, size=drawn)
        campaign.labeled = np.concatenate([campaign.labeled, lot])
    if drawn < size:
        ranked = _rank(campaign, network, features, head, size=size - drawn, seed=seed)
        campaign.labeled = np.concatenate([campaign.labeled, ranked])
    campaign.weigh(features.phi)


def _by_lot(campaign: Campaign, *, size: int) -> NDArray[np.int64]:
    """The galaxies of the smallest random keys among those that are free."""
    arrays = campaign.arrays
    taken = set(arrays.group_ids[campaign.labeled].tolist())
    pool = campaign.sky.pool  # by random key
    free = pool[unblocked(arrays.group_ids[pool], taken)]
    return one_per_galaxy(free, arrays.group_ids, size=size)


def _rank(
    campaign: Campaign,
    network: Network,
    features: Features,
    head: Head,
    *,
    size: int,
    seed: int,
) -> NDArray[np.int64]:
    """The rows that the strategy asks for first."""
    arrays, strategy = campaign.arrays, campaign.arm.strategy
    free, labeled = campaign.free, campaign.labeled
    quota = strategy.quota < 1.0
    candidates = features.take(free)
    knowledge = None
    if strategy.looks_at_posterior:
        knowledge = knowledge_of(
            head,
            strategy,
            precision=precision_of(candidates, head, strategy),
            centers=features.take(labeled),
            aims=features.take(aim_rows(np.sort(campaign.sky.pool))),
        )
    seen = seen_objects(
        strategy,
        campaign.view,
        network,
        head,
        features,
        pool_rows=np.sort(campaign.sky.pool),
        knowledge=knowledge,
    )
    ranking = rank(
        strategy,
        features=seen.features,
        feature_rows=free,
        score=total_variance(
            head.epistemic_variance(candidates), weights_of(head, strategy)
        ),
        object_ids=arrays.object_ids[free],
        group_ids=arrays.group_ids[free],
        center_features=seen.features[labeled],
        blocked_groups=set(arrays.group_ids[labeled].tolist()),
        random_keys=campaign.sky.random_keys[free],
        size=_REACH * size if quota else size,
        seed=seed,
        feature_scale=seen.scale,
        knowledge=seen.knowledge,
        strata=strata_of_rows(
            strategy, campaign.view, free, pool_rows=campaign.sky.pool
        ),
        held=held_back(strategy, campaign.view, free),
    )
    return free[ranking.order[:size]]
