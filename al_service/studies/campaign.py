"""One campaign replayed: fit, examine, choose, reveal, again and again."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from al_service.acquisition.density import density_weights, represented_rows
from al_service.acquisition.guards import strata_of
from al_service.acquisition.knowing import (
    aim_rows,
    knowledge_of,
    precision_of,
    weights_of,
)
from al_service.acquisition.ranking import one_per_galaxy, unblocked
from al_service.acquisition.strategies import rank
from al_service.acquisition.uncertainty import total_variance
from al_service.features.photometry import signal_to_noise
from al_service.models.network import Network
from al_service.models.samples import WHITENING_SAMPLE, evenly
from al_service.posterior.features import Features, extract
from al_service.posterior.fitting import TrainingSet, fit_network
from al_service.posterior.head import Head, fit_head
from al_service.randomness import derived_seed
from al_service.studies.arms import Arm
from al_service.studies.examining import Metrics, examine
from al_service.studies.settings import ReplaySettings
from al_service.studies.sky import Sky, draw_sky
from al_service.survey.pool_arrays import PoolArrays

_CHUNK = 8192
"""Objects whose features are computed at a time: images of more fill the memory."""

_REACH = 8
"""Batches that a quota may choose from: a service orders the head of its queue."""


@dataclass(frozen=True)
class Point:
    """One point of a learning curve."""

    n_labels: int

    metrics: Metrics
    """Target to metric to value, on the objects that examine."""

    tests: dict[str, Metrics] = field(default_factory=dict)
    """The same on further test sets, by their names."""


@dataclass(frozen=True)
class Curve:
    """What one strategy made of one seed's sky."""

    arm: str
    seed: int
    points: tuple[Point, ...]

    select_seconds: float
    """Mean time to choose one batch, features at hand."""

    n_test: int
    """Objects that examined."""

    chosen: tuple[str, ...]
    """Object ids in the order in which they were labeled."""


@dataclass
class _Campaign:
    """The state between rounds."""

    arm: Arm
    sky: Sky
    labeled: NDArray[np.int64]
    """Rows in the order in which they were labeled."""

    weights: NDArray[np.float64] | None = None
    """Their pool-density weights in the latest features; None before there are any."""

    points: list[Point] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

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


def replay_campaign(
    arrays: PoolArrays,
    settings: ReplaySettings,
    *,
    arm: str,
    seed: int,
    finished_point: Callable[[], None],
) -> Curve:
    """Replay one strategy on one seed's sky.

    Args:
        arrays: the pool with its known labels.
        settings: of the replay.
        arm: which of the settings' arms.
        seed: decides examiners, initial labels and the network's start, the same for
            every strategy.
        finished_point: called after each point of the curve.
    """
    sky = draw_sky(
        arrays,
        seed=seed,
        test_size=settings.test_size,
        labels_needed=settings.labels_needed,
    )
    initial = one_per_galaxy(sky.pool, arrays.group_ids, size=settings.initial)
    campaign = _Campaign(settings.arm(arm), sky, initial)
    for number in range(settings.rounds + 1):
        network, features, head = _learn(
            arrays,
            campaign,
            seed=derived_seed(seed, "replay round", number),
        )
        metrics, tests = examine(
            head.predict(features.take(sky.test)),
            arrays.known_values[sky.test],
            arrays.group_ids[sky.test],
            interest=settings.interest,
        )
        campaign.points.append(Point(len(campaign.labeled), metrics, tests))
        if number < settings.rounds:
            started = time.perf_counter()
            _choose(
                arrays,
                campaign,
                network,
                features,
                head,
                size=settings.batch,
                seed=derived_seed(seed, "replay choice", number),
            )
            campaign.seconds.append(time.perf_counter() - started)
        finished_point()
    return Curve(
        arm=arm,
        seed=seed,
        points=tuple(campaign.points),
        select_seconds=float(np.mean(campaign.seconds)),
        n_test=len(sky.test),
        chosen=tuple(arrays.object_ids[campaign.labeled].tolist()),
    )


def _learn(
    arrays: PoolArrays, campaign: _Campaign, *, seed: int
) -> tuple[Network, Features, Head]:
    """A network of the labels so far, everybody's features under it, its last layer.

    The network is trained with weights from the features of the round before; the
    last layer knows those of its own.
    """
    labeled = campaign.labeled
    values, errors = arrays.known_values[labeled], arrays.known_errors[labeled]
    network = fit_network(
        TrainingSet(
            arrays.inputs(labeled),
            values,
            errors,
            campaign.weights,
            arrays.group_ids[labeled],
        ),
        targets=arrays.targets,
        config=campaign.arm.model,
        seed=seed,
        pool_inputs=arrays.inputs(evenly(np.sort(campaign.sky.pool), WHITENING_SAMPLE)),
    )
    parts = [extract(network, inputs).arrays() for _, inputs in arrays.chunks(_CHUNK)]
    features = Features.from_arrays(
        {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    )
    campaign.weigh(features.phi)
    head = fit_head(
        network, features.take(labeled), values, errors, weights=campaign.weights
    )
    return network, features, head


def _choose(
    arrays: PoolArrays,
    campaign: _Campaign,
    network: Network,
    features: Features,
    head: Head,
    *,
    size: int,
    seed: int,
) -> None:
    """Reveal the labels of the first batch: its random share, then the ranking's."""
    drawn = round(size * campaign.arm.random_share)
    if drawn:
        lot = _by_lot(arrays, campaign, size=drawn)
        campaign.labeled = np.concatenate([campaign.labeled, lot])
    if drawn < size:
        ranked = _rank(
            arrays, campaign, network, features, head, size=size - drawn, seed=seed
        )
        campaign.labeled = np.concatenate([campaign.labeled, ranked])
    campaign.weigh(features.phi)


def _by_lot(arrays: PoolArrays, campaign: _Campaign, *, size: int) -> NDArray[np.int64]:
    """The galaxies of the smallest random keys among those that are free."""
    taken = set(arrays.group_ids[campaign.labeled].tolist())
    pool = campaign.sky.pool  # by random key
    free = pool[unblocked(arrays.group_ids[pool], taken)]
    return one_per_galaxy(free, arrays.group_ids, size=size)


def _rank(
    arrays: PoolArrays,
    campaign: _Campaign,
    network: Network,
    features: Features,
    head: Head,
    *,
    size: int,
    seed: int,
) -> NDArray[np.int64]:
    """The rows that the strategy asks for first."""
    free, labeled, strategy = campaign.free, campaign.labeled, campaign.arm.strategy
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
    ranking = rank(
        strategy,
        features=features.phi,
        feature_rows=free,
        score=total_variance(
            head.epistemic_variance(candidates), weights_of(head, strategy)
        ),
        object_ids=arrays.object_ids[free],
        group_ids=arrays.group_ids[free],
        center_features=features.phi[labeled],
        blocked_groups=set(arrays.group_ids[labeled].tolist()),
        random_keys=campaign.sky.random_keys[free],
        size=_REACH * size if quota else size,
        seed=seed,
        feature_scale=network.whitening.distance_scale,
        knowledge=knowledge,
        strata=_strata(arrays, campaign, free) if quota else None,
    )
    return free[ranking.order[:size]]


def _strata(
    arrays: PoolArrays, campaign: _Campaign, rows: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Tenths of the pool by signal to noise, of some rows."""
    pool = np.sort(campaign.sky.pool)
    found = np.full(arrays.n_objects, -1, dtype=np.int64)
    found[pool] = strata_of(signal_to_noise(arrays.inputs(pool).photometry))
    return found[rows]
