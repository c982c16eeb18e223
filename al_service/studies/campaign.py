"""One campaign replayed: fit, examine, choose, reveal, again and again."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from al_service.acquisition.density import density_weights, represented_rows
from al_service.acquisition.ranking import one_per_galaxy
from al_service.acquisition.strategies import StrategyConfig, rank
from al_service.acquisition.uncertainty import total_variance
from al_service.evaluation.halves import is_calibration
from al_service.evaluation.report import evaluate
from al_service.models.config import ModelConfig
from al_service.models.network import Network
from al_service.models.samples import WHITENING_SAMPLE, evenly
from al_service.posterior.calibration import fit_calibration
from al_service.posterior.features import Features, extract
from al_service.posterior.fitting import TrainingSet, fit_network
from al_service.posterior.head import Head, fit_head
from al_service.randomness import derived_seed
from al_service.studies.settings import ReplaySettings, strategy_config
from al_service.studies.sky import Sky, draw_sky
from al_service.survey.pool_arrays import PoolArrays

_CHUNK = 8192
"""Objects whose features are computed at a time: images of more fill the memory."""


@dataclass(frozen=True)
class Point:
    """One point of a learning curve."""

    n_labels: int

    metrics: dict[str, dict[str, float]]
    """Target to metric to value, on the objects that examine."""


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

    strategy: StrategyConfig
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
        if self.strategy.weights_alpha > 0:
            others = represented_rows(self.sky.pool, self.labeled)
            self.weights = density_weights(
                phi[self.labeled], phi[others], self.strategy.weights_alpha
            )


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
        arm: the strategy, by name.
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
    campaign = _Campaign(strategy_config(arm), sky, initial)
    for number in range(settings.rounds + 1):
        network, features, head = _learn(
            arrays,
            campaign,
            settings.model,
            seed=derived_seed(seed, "replay round", number),
        )
        metrics = _examine(arrays, sky.test, features, head)
        campaign.points.append(Point(len(campaign.labeled), metrics))
        if number < settings.rounds:
            started = time.perf_counter()
            _choose(arrays, campaign, network, features, head, size=settings.batch)
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
    arrays: PoolArrays, campaign: _Campaign, config: ModelConfig, *, seed: int
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
        config=config,
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


def _examine(
    arrays: PoolArrays, test: NDArray[np.int64], features: Features, head: Head
) -> dict[str, dict[str, float]]:
    """All metrics on the objects that examine; half of them calibrates intervals."""
    predictions = head.predict(features.take(test))
    values = arrays.known_values[test]
    calibrates = np.array(
        [is_calibration(galaxy) for galaxy in arrays.group_ids[test].tolist()]
    )
    calibration = fit_calibration(predictions.take(calibrates), values[calibrates])
    return evaluate(
        calibration.apply(predictions), values, reports_coverage=~calibrates
    )


def _choose(
    arrays: PoolArrays,
    campaign: _Campaign,
    network: Network,
    features: Features,
    head: Head,
    *,
    size: int,
) -> None:
    """Rank what is free and reveal the labels of the first batch."""
    free, labeled = campaign.free, campaign.labeled
    ranking = rank(
        campaign.strategy,
        features=features.phi,
        feature_rows=free,
        score=total_variance(head.epistemic_variance(features.take(free))),
        object_ids=arrays.object_ids[free],
        group_ids=arrays.group_ids[free],
        center_features=features.phi[labeled],
        blocked_groups=set(arrays.group_ids[labeled].tolist()),
        random_keys=campaign.sky.random_keys[free],
        size=size,
        seed=0,
        feature_scale=network.whitening.distance_scale,
    )
    campaign.labeled = np.concatenate([labeled, free[ranking.order]])
    campaign.weigh(features.phi)
