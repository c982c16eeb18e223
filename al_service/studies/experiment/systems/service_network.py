"""The network that the service trains, with its closed-form Bayesian last layer."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from al_service.features.preparation import IMAGE, PHOTOMETRY, SPECTRUM
from al_service.models.config import ModelConfig
from al_service.models.network import Network
from al_service.posterior.checkpoint import load_checkpoint, save_checkpoint
from al_service.posterior.features import extract
from al_service.posterior.fitting import TrainingSet, fit_network
from al_service.posterior.head import EVERYTHING, Head
from al_service.posterior.predictions import Predictions
from al_service.posterior.teaching import fit_head
from al_service.studies.experiment.measurements import Measurements
from al_service.studies.experiment.settings import Effort
from al_service.studies.experiment.storing import read_facts, write_facts
from al_service.studies.experiment.system import Family, Lesson, System

ANY_PATTERN: Final = range(1, EVERYTHING + 1)
"""An experiment hides modalities of objects that have them all: any may be asked."""


@dataclass(frozen=True)
class FittedServiceNetwork:
    """Network and last layer."""

    network: Network
    head: Head
    trials: list[dict[str, Any]] = field(default_factory=list)  # Any: JSON

    @property
    def n_parameters(self) -> int:
        """Of the network and of its last layer."""
        return self.network.n_parameters + self.head.mean.size

    def predict(self, measurements: Measurements) -> Predictions:
        """What the service would say."""
        return self.head.predict(extract(self.network, measurements.inputs))

    def features(self, measurements: Measurements) -> NDArray[np.float32] | None:
        """Whitened φ."""
        return extract(self.network, measurements.inputs).phi

    def save(self, folder: Path) -> None:
        """Write a checkpoint as the service does."""
        digest = save_checkpoint(folder, self.network, self.head)
        write_facts(folder, {"digest": digest})


@dataclass(frozen=True)
class ServiceNetwork:
    """`posterior/fitting.py` and `posterior/head.py`, as every campaign uses them."""

    name: str
    inputs: tuple[str, ...]
    family: Family

    def fit(self, lesson: Lesson) -> FittedServiceNetwork:
        """Train the network, then compute its last layer."""
        seen = lesson.training.having(self.inputs)
        inputs = seen.measurements.inputs
        network = fit_network(
            TrainingSet(inputs, seen.values, seen.errors, None, seen.group_ids),
            targets=lesson.targets,
            config=_config(self.inputs, lesson.effort),
            seed=lesson.seed,
            patterns=ANY_PATTERN,
        )
        features = extract(network, inputs)
        return FittedServiceNetwork(
            network, fit_head(network, features, seen.values, seen.errors)
        )

    def load(self, folder: Path) -> FittedServiceNetwork:
        """Read the checkpoint."""
        checkpoint = load_checkpoint(folder, read_facts(folder)["digest"])
        return FittedServiceNetwork(checkpoint.network, checkpoint.head)


def _config(inputs: tuple[str, ...], effort: Effort) -> ModelConfig:
    return ModelConfig.model_validate(
        {
            "modalities": inputs,
            "epochs": effort.column_epochs,
            "pixel_epochs": effort.epochs,
            "min_steps": effort.min_steps,
        }
    )


PHOTOMETRY_MLP: Final = ServiceNetwork("photometry_mlp", (PHOTOMETRY,), Family.NETWORK)

FUSION: Final = ServiceNetwork(
    "pyro_last_layer_all", (PHOTOMETRY, IMAGE, SPECTRUM), Family.BAYESIAN
)
"""What the service trains where objects have everything."""

SYSTEMS: tuple[System, ...] = (
    PHOTOMETRY_MLP,
    ServiceNetwork("pyro_last_layer_image", (IMAGE,), Family.BAYESIAN),
    ServiceNetwork("pyro_last_layer_spectrum", (SPECTRUM,), Family.BAYESIAN),
    ServiceNetwork("pyro_last_layer", (IMAGE, SPECTRUM), Family.BAYESIAN),
    FUSION,
)
