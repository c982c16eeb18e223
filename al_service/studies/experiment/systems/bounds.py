"""What nobody can beat, and what needs no labels: the latents, and the scan."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor

from al_service.features.preparation import SPECTRUM
from al_service.features.scanned_redshift import believed_redshifts
from al_service.posterior.predictions import Predictions
from al_service.studies.experiment.measurements import Measurements
from al_service.studies.experiment.storing import (
    read_estimators,
    read_facts,
    write_estimators,
    write_facts,
)
from al_service.studies.experiment.system import (
    Family,
    Lesson,
    System,
    own_space,
)
from al_service.survey.inputs import Modality
from al_service.survey.simulation.objects import LATENTS
from al_service.survey.targets import Target

Floats = NDArray[np.float64]

_SMALLEST_SPREAD: Final = 1e-6

_TREES: Final = 200
"""Whatever the effort: a bound that was not learned to its end bounds nothing."""


@dataclass(frozen=True)
class FittedCeiling:
    """Boosted trees per target on what the simulator knew, beside its redshift."""

    targets: tuple[str, ...]
    models: tuple[HistGradientBoostingRegressor, ...]
    spread: tuple[float, ...]
    """`T` root mean squared errors on validation objects."""
    trials: list[dict[str, Any]] = field(default_factory=list)  # Any: JSON

    @property
    def n_parameters(self) -> int:
        """Leaves of all trees."""
        return sum(
            int(tree.get_n_leaf_nodes())
            for model in self.models
            for trees in model._predictors
            for tree in trees
        )

    def predict(self, measurements: Measurements) -> Predictions:
        """From latents alone; no measurement is looked at."""
        latents = _latents(measurements)
        added = np.stack([model.predict(latents) for model in self.models], axis=1)
        center = _told(self.targets, latents) + added
        return Predictions(
            self.targets,
            measurements.patterns(()),
            center,
            np.zeros(center.shape),
            np.broadcast_to(np.array(self.spread), center.shape).copy(),
        )

    def features(self, _measurements: Measurements) -> NDArray[np.float32] | None:
        """None: nothing was learned of measurements."""
        return None

    def save(self, folder: Path) -> None:
        """Write the trees."""
        write_facts(folder, {"targets": self.targets, "spread": self.spread})
        write_estimators(folder, {"models": list(self.models)})


@dataclass(frozen=True)
class Ceiling:
    """How well the labels follow from what is true: their own noise is left."""

    name: str = "ceiling"
    family: Family = Family.CEILING
    inputs: tuple[str, ...] = ()

    def fit(self, lesson: Lesson) -> FittedCeiling:
        """Boost trees on the latents."""
        latents = _latents(lesson.training.measurements)
        others = _latents(lesson.validation.measurements)
        own = own_space(lesson.targets, lesson.training.values)
        held = own_space(lesson.targets, lesson.validation.values)
        own -= _told(lesson.targets, latents)
        held -= _told(lesson.targets, others)
        models, spread = [], []
        for column in range(len(lesson.targets)):
            known = np.isfinite(own[:, column])
            model = HistGradientBoostingRegressor(
                learning_rate=0.05,
                max_iter=_TREES,
                early_stopping=False,
                random_state=lesson.seed % 2**32,
            ).fit(latents[known], own[known, column])
            error = held[:, column] - model.predict(others)
            models.append(model)
            spread.append(max(float(np.sqrt(np.nanmean(error**2))), _SMALLEST_SPREAD))
        return FittedCeiling(lesson.targets, tuple(models), tuple(spread))

    def load(self, folder: Path) -> FittedCeiling:
        """Read the trees."""
        facts = read_facts(folder)
        models = read_estimators(folder)["models"]
        return FittedCeiling(
            tuple(facts["targets"]), tuple(models), tuple(facts["spread"])
        )


@dataclass(frozen=True)
class FittedScan:
    """The scan's redshift; the training distribution where it is not believed."""

    targets: tuple[str, ...]
    center: tuple[float, ...]
    spread: tuple[float, ...]
    trials: list[dict[str, Any]] = field(default_factory=list)  # Any: JSON

    @property
    def n_parameters(self) -> int:
        """Mean and spread of every target; the scan itself learns nothing here."""
        return 2 * len(self.targets)

    def predict(self, measurements: Measurements) -> Predictions:
        """Only z is known to the scan."""
        shape = (len(measurements), len(self.targets))
        center = np.broadcast_to(np.array(self.center), shape).copy()
        spread = np.broadcast_to(np.array(self.spread), shape).copy()
        patterns = measurements.patterns((SPECTRUM,))
        scan = believed_redshifts(measurements.inputs)
        if scan is not None and Target.Z in self.targets:
            column = self.targets.index(Target.Z)
            known = np.isfinite(scan[:, 0])
            center[known, column] = scan[known, 0]
            spread[known, column] = np.sqrt(scan[known, 1])
            patterns = patterns + np.where(known, int(Modality.REDSHIFT), 0)
        return Predictions(self.targets, patterns, center, np.zeros(shape), spread)

    def features(self, _measurements: Measurements) -> NDArray[np.float32] | None:
        """None: nothing was learned."""
        return None

    def save(self, folder: Path) -> None:
        """Write what everybody gets where the scan is silent."""
        write_facts(
            folder,
            {"targets": self.targets, "center": self.center, "spread": self.spread},
        )


@dataclass(frozen=True)
class RedshiftScan:
    """Templates at every redshift (`features/scan`): no label is used for z."""

    name: str = "redshift_scan"
    family: Family = Family.CLASSICAL
    inputs: tuple[str, ...] = (SPECTRUM,)

    def fit(self, lesson: Lesson) -> FittedScan:
        """Learn the training distribution, for the other targets."""
        own = own_space(lesson.targets, lesson.training.values)
        return FittedScan(
            lesson.targets,
            tuple(np.nanmean(own, axis=0).tolist()),
            tuple(np.maximum(np.nanstd(own, axis=0), _SMALLEST_SPREAD).tolist()),
        )

    def load(self, folder: Path) -> FittedScan:
        """Read what `save` wrote."""
        facts = read_facts(folder)
        return FittedScan(
            tuple(facts["targets"]), tuple(facts["center"]), tuple(facts["spread"])
        )


def _told(targets: tuple[str, ...], latents: Floats) -> Floats:
    """`N x T` of the labels' own space that latents say without any learning.

    Trees are steps: with a redshift among their columns they find it to a few times
    1e-4, ten times as far off as a scan.
    """
    is_redshift = np.array([target == Target.Z for target in targets])
    true = np.log1p(latents[:, LATENTS.index("z")])
    return np.where(is_redshift, true[:, None], 0.0)


def _latents(measurements: Measurements) -> Floats:
    if measurements.latents is None:
        raise ValueError("measurements: expected a simulated pool, found no latents")
    return measurements.latents


SYSTEMS: tuple[System, ...] = (Ceiling(), RedshiftScan())
