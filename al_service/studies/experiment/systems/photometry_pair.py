"""Network and forest on the same fluxes: their errors differ, so both are asked."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from al_service.features.preparation import PHOTOMETRY
from al_service.posterior.predictions import Predictions
from al_service.studies.experiment.late_fusion import correlation, weighted
from al_service.studies.experiment.measurements import Measurements
from al_service.studies.experiment.storing import read_tensors, write_tensors
from al_service.studies.experiment.system import (
    Family,
    Fitted,
    Lesson,
    System,
    own_space,
)
from al_service.studies.experiment.systems.classical import FOREST_PHOTOMETRY
from al_service.studies.experiment.systems.service_network import PHOTOMETRY_MLP

_SEEN: Final = (PHOTOMETRY,)

_PARTS: Final[tuple[System, System]] = (PHOTOMETRY_MLP, FOREST_PHOTOMETRY)


@dataclass(frozen=True)
class FittedPair:
    """Both, and how far their errors go together."""

    network: Fitted
    forest: Fitted
    correlation: NDArray[np.float64]
    """`T` of their errors on validation objects."""
    trials: list[dict[str, Any]] = field(default_factory=list)  # Any: JSON

    @property
    def n_parameters(self) -> int:
        """Of both together."""
        return self.network.n_parameters + self.forest.n_parameters

    def predict(self, measurements: Measurements) -> Predictions:
        """The mean of both, weighted by precision."""
        network = self.network.predict(measurements)
        forest = self.forest.predict(measurements)
        center, variance = weighted(network, forest, self.correlation)
        epistemic = np.minimum(network.epistemic_spread**2, 0.5 * variance)
        return Predictions(
            network.targets,
            network.patterns,
            center,
            np.sqrt(epistemic),
            np.sqrt(variance - epistemic),
        )

    def features(self, measurements: Measurements) -> NDArray[np.float32] | None:
        """Those of the network."""
        return self.network.features(measurements)

    def save(self, folder: Path) -> None:
        """Write both, each into a folder of its own."""
        for name in ("network", "forest"):
            (folder / name).mkdir()
            getattr(self, name).save(folder / name)
        write_tensors(folder, {"correlation": np.ascontiguousarray(self.correlation)})


@dataclass(frozen=True)
class PhotometryPair:
    """The service's network and a random forest, weighted by precision."""

    name: str = "photometry_pair"
    family: Family = Family.NETWORK
    inputs: tuple[str, ...] = _SEEN

    def fit(self, lesson: Lesson) -> FittedPair:
        """Both have learned; compare their errors on validation objects."""
        network, forest = (lesson.learned_by(part) for part in _PARTS)
        own = own_space(lesson.targets, lesson.validation.values)
        seen = lesson.validation.measurements
        errors = [one.predict(seen).center - own for one in (network, forest)]
        return FittedPair(network, forest, correlation(*errors), forest.trials)

    def load(self, folder: Path) -> FittedPair:
        """What `FittedPair.save` wrote."""
        network, forest = (
            part.load(folder / name)
            for part, name in zip(_PARTS, ("network", "forest"), strict=True)
        )
        stored = read_tensors(folder)["correlation"]
        return FittedPair(network, forest, stored, forest.trials)


SYSTEMS: tuple[System, ...] = (PhotometryPair(),)
