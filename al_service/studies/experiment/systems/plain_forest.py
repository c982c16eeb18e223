"""The forest of a first paper: colors and one magnitude, no setting but its trees.

Published figures of classical models are mostly of this kind; beside it one sees what
further columns and a search for settings are worth.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from al_service.features.photometry import PHOTOMETRY_FEATURES, photometry_features
from al_service.features.preparation import PHOTOMETRY
from al_service.features.scaling import Scaler
from al_service.models.classical import ForestFit
from al_service.posterior.predictions import Predictions
from al_service.randomness import derived_seed
from al_service.studies.experiment.measurements import Measurements
from al_service.studies.experiment.storing import read_estimators, write_estimators
from al_service.studies.experiment.system import Family, Lesson, System, own_space

Floats = NDArray[np.float64]

_READ: Final = [
    PHOTOMETRY_FEATURES.index(name)
    for name in ("luptitude_r", "color_ug", "color_gr", "color_ri", "color_iz")
]


@dataclass(frozen=True)
class FittedPlainForest:
    """A forest per target, in the target's own space."""

    targets: tuple[str, ...]
    scaler: Scaler
    fits: tuple[ForestFit, ...]
    """`T`."""
    trials: list[dict[str, Any]] = field(default_factory=list)  # Any: JSON

    @property
    def n_parameters(self) -> int:
        """Nodes of all trees."""
        return sum(fit.n_parameters for fit in self.fits)

    def predict(self, measurements: Measurements) -> Predictions:
        """Mean of the trees, which disagree as much as they do not know."""
        columns = self.scaler.transform(_columns(measurements)).astype(np.float64)
        said = [fit.predict(columns) for fit in self.fits]
        return Predictions(
            self.targets,
            measurements.patterns((PHOTOMETRY,)),
            np.stack([one.mean for one in said], axis=1),
            np.sqrt(np.stack([one.epistemic for one in said], axis=1)),
            np.sqrt(np.stack([one.aleatoric for one in said], axis=1)),
        )

    def features(self, _measurements: Measurements) -> NDArray[np.float32] | None:
        """None: the columns were measured, not learned."""
        return None

    def save(self, folder: Path) -> None:
        """Write the forests and the scale of their columns."""
        write_estimators(
            folder,
            {
                "targets": list(self.targets),
                "scaler": vars(self.scaler),
                "forests": [fit.forest for fit in self.fits],
            },
        )


@dataclass(frozen=True)
class PlainForest:
    """Scikit-learn's forest as it comes."""

    name: str = "random_forest_colors"
    family: Family = Family.CLASSICAL
    inputs: tuple[str, ...] = (PHOTOMETRY,)

    def fit(self, lesson: Lesson) -> FittedPlainForest:
        """Grow a forest for every target."""
        seen = lesson.training.having(self.inputs)
        measured = _columns(seen.measurements)
        scaler = Scaler.fit(measured)
        columns = scaler.transform(measured).astype(np.float64)
        own = own_space(lesson.targets, seen.values)
        fits = []
        for number, target in enumerate(lesson.targets):
            known = np.isfinite(own[:, number])
            fits.append(
                ForestFit.fit(
                    columns[known],
                    own[known, number],
                    trees=lesson.effort.trees,
                    settings={},
                    seed=derived_seed(lesson.seed, "forest", target),
                )
            )
        return FittedPlainForest(lesson.targets, scaler, tuple(fits))

    def load(self, folder: Path) -> FittedPlainForest:
        """What `FittedPlainForest.save` wrote."""
        parts = read_estimators(folder)
        return FittedPlainForest(
            tuple(parts["targets"]),
            Scaler(**parts["scaler"]),
            tuple(ForestFit(forest) for forest in parts["forests"]),
        )


def _columns(measurements: Measurements) -> Floats:
    return photometry_features(measurements.inputs.photometry)[:, _READ]


SYSTEMS: tuple[System, ...] = (PlainForest(),)
