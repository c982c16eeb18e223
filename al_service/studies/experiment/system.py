"""What a model must do to stand in the table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from al_service.posterior.predictions import Predictions
from al_service.randomness import derived_seed
from al_service.studies.experiment.measurements import Measurements
from al_service.studies.experiment.settings import Effort
from al_service.survey.inputs import Rows
from al_service.survey.targets import Target

Floats = NDArray[np.float64]


class Family(StrEnum):
    """A group of rows of the table."""

    FLOOR = "floor"  # knows nothing of the object
    CEILING = "ceiling"  # knows what the simulator knew
    CLASSICAL = "classical"  # measured features, no network
    NETWORK = "network"  # one modality, as in the paper
    FUSION = "fusion"  # several modalities
    BAYESIAN = "bayesian"  # a network that knows what it does not know
    BALANCE = "balance"  # fusion that keeps one modality from crowding out another


def in_words(inputs: Sequence[str], family: Family) -> str:
    """What a system looks at."""
    if family is Family.CEILING:
        return "the latents"
    return ", ".join(inputs) or "nothing"


@dataclass(frozen=True)
class Examples:
    """Labeled objects."""

    measurements: Measurements
    values: Floats
    """`N x T` labels in the targets' units, NaN where unknown."""
    errors: Floats
    """`N x T` their standard deviations, NaN where unknown."""
    group_ids: NDArray[np.str_]
    """`N` galaxies."""

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: Rows) -> "Examples":
        """The objects of some rows, in their order."""
        return Examples(
            self.measurements.take(rows),
            self.values[rows],
            self.errors[rows],
            self.group_ids[rows],
        )

    def having(self, names: Sequence[str]) -> "Examples":
        """Those that have at least one of some modalities; all without any name."""
        if not names:
            return self
        seen = np.any([self.measurements.has(name) for name in names], axis=0)
        return self.take(np.flatnonzero(seen))


@dataclass(frozen=True)
class Lesson:
    """What a system learns from."""

    targets: tuple[str, ...]
    """Names of the `T` columns of the labels."""
    training: Examples
    validation: Examples
    """Other galaxies, with all modalities: for stopping, stacking and levels of noise.
    They also calibrate the intervals afterwards, of every system alike."""
    seed: int
    """Of everything random in the training."""
    effort: Effort
    parts: "Callable[[System], Fitted] | None" = None
    """Where other rows of the table lie that have learned this very lesson; None: a
    system that builds on them trains them itself."""

    def learned_by(self, system: "System") -> "Fitted":
        """Another system that has learned the same, maybe long ago.

        Who builds on another row of the table (a late fusion on two networks, Laplace's
        approximation on one) asks here, so that no network is trained twice.
        """
        if self.parts is not None:
            return self.parts(system)
        seed = derived_seed(self.seed, "part", system.name)
        return system.fit(replace(self, seed=seed))


class Fitted(Protocol):
    """A system that has learned."""

    @property
    def n_parameters(self) -> int:
        """How many numbers were learned."""

    @property
    def trials(self) -> list[dict[str, Any]]:  # Any: JSON
        """What the search for settings has tried, with scores; empty without one."""

    def predict(self, measurements: Measurements) -> Predictions:
        """Predictive distributions of `N` objects, of any modality pattern."""

    def features(self, measurements: Measurements) -> NDArray[np.float32] | None:
        """`N x D` learned features to look at; None where there are none."""

    def save(self, folder: Path) -> None:
        """Write everything that `System.load` needs into an empty folder."""


class System(Protocol):
    """A model before it has learned; one row of the table."""

    @property
    def name(self) -> str:
        """Unique; what `--systems` takes."""

    @property
    def family(self) -> Family:
        """Where it stands in the table."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the modalities that it looks at."""

    def fit(self, lesson: Lesson) -> Fitted:
        """Learn; the same lesson gives the same predictions."""

    def load(self, folder: Path) -> Fitted:
        """What `Fitted.save` wrote."""


def own_space(targets: Sequence[str], values: Floats) -> Floats:
    """Labels where distributions are Gaussian: log(1 + z), all others as they are.

    Args:
        targets: names of the columns.
        values: `N x T` in the targets' units, NaN where unknown.
    """
    logarithmic = np.array([target == Target.Z for target in targets])
    safe = np.where(logarithmic, values, 0.0)
    return np.where(logarithmic, np.log1p(safe), values)
