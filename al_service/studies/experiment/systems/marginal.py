"""The floor: everybody gets the distribution of the training labels.

It has no outliers to speak of and flat percentiles (Schmidt et al. 2020, `trainZ`):
whoever reads only those sees no difference to a model. Normal in the targets' own
space, with the labels' mean and spread, like every other row.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from al_service.posterior.predictions import Predictions
from al_service.studies.experiment.measurements import Measurements
from al_service.studies.experiment.storing import read_facts, write_facts
from al_service.studies.experiment.system import Family, Lesson, System, own_space


@dataclass(frozen=True)
class FittedMarginal:
    """Mean and spread of the labels."""

    targets: tuple[str, ...]
    center: tuple[float, ...]
    spread: tuple[float, ...]

    @property
    def n_parameters(self) -> int:
        """Mean and spread of every target."""
        return 2 * len(self.targets)

    @property
    def trials(self) -> list[dict[str, Any]]:  # Any: JSON
        """None: there is nothing to search."""
        return []

    def predict(self, measurements: Measurements) -> Predictions:
        """The same for all `N` objects."""
        shape = (len(measurements), len(self.targets))
        return Predictions(
            self.targets,
            measurements.patterns(()),
            np.broadcast_to(np.array(self.center), shape).copy(),
            np.zeros(shape),
            np.broadcast_to(np.array(self.spread), shape).copy(),
        )

    def features(self, _measurements: Measurements) -> NDArray[np.float32] | None:
        """None: nothing was learned of objects."""
        return None

    def save(self, folder: Path) -> None:
        """Write mean and spread."""
        write_facts(folder, vars(self))


@dataclass(frozen=True)
class Marginal:
    """The training distribution for everyone."""

    name: str = "marginal"
    family: Family = Family.FLOOR
    inputs: tuple[str, ...] = ()

    def fit(self, lesson: Lesson) -> FittedMarginal:
        """Take mean and spread of the labels."""
        own = own_space(lesson.targets, lesson.training.values)
        return FittedMarginal(
            lesson.targets,
            tuple(np.nanmean(own, axis=0).tolist()),
            tuple(np.maximum(np.nanstd(own, axis=0), 1e-6).tolist()),
        )

    def load(self, folder: Path) -> FittedMarginal:
        """Read mean and spread."""
        facts: dict[str, Any] = read_facts(folder)  # Any: JSON
        return FittedMarginal(**{name: tuple(part) for name, part in facts.items()})


SYSTEMS: tuple[System, ...] = (Marginal(),)
