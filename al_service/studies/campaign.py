"""One campaign replayed: fit, examine, choose, reveal, again and again."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from al_service.acquisition.ranking import one_per_galaxy
from al_service.models.network import Network
from al_service.models.samples import WHITENING_SAMPLE, evenly
from al_service.posterior.features import Features, extract
from al_service.posterior.fitting import TrainingSet, fit_network
from al_service.posterior.head import Head
from al_service.posterior.teaching import fit_head
from al_service.randomness import derived_seed
from al_service.studies.choosing import Campaign, choose
from al_service.studies.examining import Metrics, examine
from al_service.studies.settings import ReplaySettings
from al_service.studies.sky import Sky, draw_sky
from al_service.studies.spoiling import Told, spoil
from al_service.survey.pool_arrays import PoolArrays
from al_service.survey.pool_view import PoolView


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

    wrong_labels: int = 0
    """How many of them got the label of another galaxy."""

    junk: int = 0
    """How many of them were no galaxies."""


@dataclass(frozen=True)
class Begun:
    """A campaign after some of its rounds: all that the next one needs."""

    arm: str
    seed: int
    points: tuple[Point, ...]
    chosen: tuple[str, ...]
    """Object ids in the order in which they were labeled, the next batch included."""
    weights: tuple[float, ...] | None
    """Their pool-density weights; None without any."""
    seconds: tuple[float, ...]
    """Time to choose each batch."""


def replay_campaign(
    view: PoolView,
    settings: ReplaySettings,
    *,
    arm: str,
    seed: int,
    finished_point: Callable[[Begun], None],
    begun: Begun | None = None,
) -> Curve:
    """Replay one strategy on one seed's sky.

    Args:
        view: the pool with its known labels, as the arm's networks may look at it;
            spoiled here as the settings say.
        settings: of the replay.
        arm: which of the settings' arms.
        seed: decides examiners, initial labels and the network's start, the same for
            every strategy.
        finished_point: told after each point of the curve how far it is.
        begun: where an interrupted replay of the same campaign was: it goes on to the
            same curve.
    """
    arrays = view.arrays
    sky = draw_sky(
        arrays,
        seed=seed,
        test_size=settings.test_size,
        labels_needed=settings.labels_needed,
    )
    told = spoil(
        view,
        sky.pool,
        seed=seed,
        wrong_labels=settings.wrong_labels,
        junk=settings.junk,
    )
    if begun is None:
        initial = one_per_galaxy(sky.pool, arrays.group_ids, size=settings.initial)
        begun = Begun(arm, seed, (), _names(arrays, initial), None, ())
    campaign = _campaign(begun, told, settings, sky)
    points, seconds = list(begun.points), list(begun.seconds)
    for number in range(len(points), settings.rounds + 1):
        last = number == settings.rounds
        network, features, head = _learn(
            campaign, seed=derived_seed(seed, "replay round", number), last=last
        )
        metrics, tests = examine(
            head.predict(features.take(sky.test)),
            arrays.known_values[sky.test],
            arrays.group_ids[sky.test],
            interest=settings.interest,
        )
        points.append(Point(len(campaign.labeled), metrics, tests))
        if not last:
            started = time.perf_counter()
            choose(
                campaign,
                network,
                features,
                head,
                size=settings.batch,
                seed=derived_seed(seed, "replay choice", number),
            )
            seconds.append(time.perf_counter() - started)
        weights = campaign.weights
        begun = Begun(
            arm,
            seed,
            tuple(points),
            _names(arrays, campaign.labeled),
            None if weights is None else tuple(weights.tolist()),
            tuple(seconds),
        )
        finished_point(begun)
    return Curve(
        arm=arm,
        seed=seed,
        points=begun.points,
        select_seconds=float(np.mean(seconds)),
        n_test=len(sky.test),
        chosen=begun.chosen,
        wrong_labels=int(told.wrong[campaign.labeled].sum()),
        junk=int(told.junk[campaign.labeled].sum()),
    )


def _names(arrays: PoolArrays, rows: NDArray[np.int64]) -> tuple[str, ...]:
    return tuple(arrays.object_ids[rows].tolist())


def _campaign(begun: Begun, told: Told, settings: ReplaySettings, sky: Sky) -> Campaign:
    """The campaign as it stood."""
    names = told.view.arrays.object_ids.tolist()
    row_of = {name: row for row, name in enumerate(names)}
    labeled = np.array([row_of[name] for name in begun.chosen], dtype=np.int64)
    weights = None if begun.weights is None else np.array(begun.weights)
    return Campaign(settings.arm(begun.arm), told, sky, labeled, weights)


def _learn(
    campaign: Campaign, *, seed: int, last: bool = False
) -> tuple[Network, Features, Head]:
    """A network of the labels so far, features under it, its last layer.

    The network is trained with weights from the features of the round before; the
    last layer knows those of its own. Features are those of all objects of the pool,
    0 where this round has no need of them.
    """
    arrays, view, labeled = campaign.arrays, campaign.view, campaign.labeled
    values, errors = campaign.told.values[labeled], campaign.told.errors[labeled]
    network = fit_network(
        TrainingSet(
            view.of(labeled),
            values,
            errors,
            campaign.weights,
            arrays.group_ids[labeled],
        ),
        targets=arrays.targets,
        config=campaign.arm.model,
        seed=seed,
        pool_inputs=view.of(evenly(np.sort(campaign.sky.pool), WHITENING_SAMPLE)),
    )
    features = _features(network, view, campaign.looked_at(last=last))
    campaign.weigh(features.phi)
    head = fit_head(
        network, features.take(labeled), values, errors, weights=campaign.weights
    )
    return network, features, head


def _features(network: Network, view: PoolView, rows: NDArray[np.int64]) -> Features:
    """Features of some objects, in the rows that they have in the pool."""
    found = extract(network, view.of(rows)).arrays()
    whole = {
        name: np.zeros((len(view.arrays), *part.shape[1:]), dtype=part.dtype)
        for name, part in found.items()
    }
    for name, part in found.items():
        whole[name][rows] = part
    return Features.from_arrays(whole)
