"""How well redshifts are predicted, and how long learning takes: against a forest.

4,000 random labels of real SDSS galaxies teach, 4,000 other galaxies examine.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestRegressor

from al_service.evaluation.metrics import point_metrics
from al_service.features.photometry import photometry_features
from al_service.features.scaling import Scaler
from al_service.models.config import ModelConfig
from al_service.posterior.accuracy import (
    N_HELD_OUT,
    PhotometryAccuracy,
    measure_photometry_accuracy,
)
from al_service.studies.speed.measuring import (
    Budget,
    Fact,
    Measurement,
    Size,
    timed,
    timing,
)
from al_service.survey.sdss10k import POOL_NAME, read_sdss10k
from al_service.survey.targets import Target

FIT: Final = "fit"
ACCURACY: Final = "accuracy"

JOBS: Final = 2
"""Cores that the forest may use."""

BUDGETS: Final = {
    "rmse_norm": Budget(at_most=0.0177),
    "sigma_mad": Budget(at_most=0.0132),
    # Off the nominal level by so much at most.
    "coverage68": Budget(at_most=0.03),
    "coverage95": Budget(at_most=0.03),
}

NOMINAL: Final = {"coverage68": 0.68, "coverage95": 0.95}


@dataclass(frozen=True)
class _Scale:
    labels: int
    seeds: int
    trees: int
    model: ModelConfig

    @property
    def forest(self) -> str:
        """The peer's name: 2 objects a leaf, half of the columns a split."""
        return f"a random forest of {self.trees} trees (scikit-learn)"


_SCALES: Final = {
    Size.SMALL: _Scale(200, 1, trees=20, model=ModelConfig(epochs=2, min_steps=20)),
    Size.FULL: _Scale(4000, 3, trees=300, model=ModelConfig()),
}


@dataclass(frozen=True)
class _Forest:
    """What a forest learned from one seed's labels."""

    times: tuple[float, float]
    """Wall and processor seconds of growing it."""
    metrics: dict[str, float]


@dataclass(frozen=True)
class _Pair:
    """Model and forest on the same galaxies."""

    model: PhotometryAccuracy
    forest: _Forest

    def ours(self, metric: str) -> float:
        return float(getattr(self.model, metric))


def measure_fit(size: Size) -> list[Measurement]:
    """Time learning from labels, and show what was learned."""
    scale = _SCALES[size]
    pairs = _pairs(scale)
    ours = timing([(pair.model.fit_seconds, np.nan) for pair in pairs])
    forest = timing([pair.forest.times for pair in pairs])
    facts: dict[str, Fact] = ours.facts() | forest.facts("peer_")
    del facts["processor_s"]  # not known
    for name in ("rmse_norm", "sigma_mad"):
        facts[name] = _mean(pair.ours(name) for pair in pairs)
        facts[f"peer_{name}"] = _mean(pair.forest.metrics[name] for pair in pairs)
    return [
        Measurement(
            benchmark=FIT,
            what=f"network and last layer on {scale.labels:,} redshifts of {POOL_NAME}",
            unit="s",
            ours=ours.seconds,
            peer=scale.forest,
            theirs=forest.seconds,
            facts=facts,
        )
    ]


def measure_accuracy(size: Size) -> list[Measurement]:
    """Errors and coverage of redshift, mean over seeds."""
    scale = _SCALES[size]
    pairs = _pairs(scale)
    return [_row(name, scale, pairs) for name in BUDGETS]


def _row(name: str, scale: _Scale, pairs: list[_Pair]) -> Measurement:
    ours = _mean(pair.ours(name) for pair in pairs)
    nominal = NOMINAL.get(name)
    shown = name if nominal is None else f"|{name} - {nominal}|"
    theirs = None
    if nominal is None:
        theirs = _mean(pair.forest.metrics[name] for pair in pairs)
    return Measurement(
        benchmark=ACCURACY,
        what=f"z: {shown}, {scale.labels:,} labels, mean of {scale.seeds} seeds",
        unit="",
        ours=ours if nominal is None else abs(ours - nominal),
        peer="" if theirs is None else scale.forest,
        theirs=theirs,
        budget=BUDGETS[name],
        facts={f"{name}_{seed}": pair.ours(name) for seed, pair in enumerate(pairs)},
    )


def _pairs(scale: _Scale) -> list[_Pair]:
    return [_pair(scale, seed) for seed in range(scale.seeds)]


def _pair(scale: _Scale, seed: int) -> _Pair:
    (model,) = measure_photometry_accuracy(
        [seed], config=scale.model, n_labels=scale.labels
    )
    return _Pair(model, _grow(scale, seed))


def _grow(scale: _Scale, seed: int) -> _Forest:
    """A forest on the galaxies and columns of `measure_photometry_accuracy`."""
    columns, photometry = read_sdss10k()
    redshifts: NDArray[np.float64] = columns.known_values[:, 0]
    order = np.random.default_rng(seed).permutation(len(redshifts))
    labeled, held_out = order[: scale.labels], order[-N_HELD_OUT:]
    unscaled = photometry_features(photometry)
    features = Scaler.fit(unscaled[labeled]).transform(unscaled)
    forest = RandomForestRegressor(
        scale.trees,
        min_samples_leaf=2,
        max_features=0.5,
        n_jobs=JOBS,
        random_state=seed,
    )
    times, _ = timed(lambda: forest.fit(features[labeled], redshifts[labeled]))
    predicted = np.asarray(forest.predict(features[held_out]), dtype=np.float64)
    return _Forest(times, point_metrics(Target.Z.value, redshifts[held_out], predicted))


def _mean(values: Iterable[float]) -> float:
    return float(np.mean([*values]))
