"""Systems that have learned from one division, each trained once and kept in files.

Late fusions, ensembles and approximations build on other rows of the table; whichever
is carried out first trains the network, the others find it here.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from al_service.errors import CorruptArtifact
from al_service.randomness import derived_seed
from al_service.studies.experiment.division import Division
from al_service.studies.experiment.peak_memory import PeakMemory
from al_service.studies.experiment.settings import ExperimentSettings
from al_service.studies.experiment.sky import ExperimentSky
from al_service.studies.experiment.storing import damaged, read_facts, write_facts
from al_service.studies.experiment.system import Fitted, Lesson, System
from al_service.survey.atomic_folder import new_folder

MODEL: Final = "model"
"""In the folder of a model: what the system itself has saved."""

_FACTS: Final = ("n_train", "fit_seconds", "peak_memory_mb", "search")
"""Beside it: what is known of a model besides itself."""

Json = dict[str, Any]  # Any: JSON


@dataclass(frozen=True)
class Kept:
    """A system that has learned, as it was read back from its files."""

    fitted: Fitted
    n_train: int
    """Objects on the training side, whether or not it could look at them."""
    fit_seconds: float
    """As if it had been trained alone, with everything that it builds on."""
    peak_memory_mb: float
    """While it learned, or what it builds on."""
    search: list[Json]
    """What a search for settings has tried."""


@dataclass(frozen=True)
class Shelf:
    """All systems under one seed."""

    sky: ExperimentSky
    settings: ExperimentSettings
    seed: int
    division: Division
    folder: Path
    """Of the models of all seeds."""

    def kept(self, system: System) -> Kept:
        """A system that has learned; it learns now if it has not."""
        place = self.folder / f"{system.name}-{self.seed}"
        if not place.is_dir():
            self._learn(system, place)
        facts = read_facts(place, *_FACTS)
        try:
            fitted = system.load(place / MODEL)
        except CorruptArtifact as error:
            raise damaged(place / MODEL, error) from error
        return Kept(fitted, **{name: facts[name] for name in _FACTS})

    def _learn(self, system: System, place: Path) -> None:
        parts = _Parts(self)
        with new_folder(place) as partial, PeakMemory() as memory:
            lesson = self._lesson(system, parts)
            started = time.perf_counter()
            fitted = system.fit(lesson)
            seconds = time.perf_counter() - started - parts.waited + parts.seconds
            (partial / MODEL).mkdir()
            fitted.save(partial / MODEL)
            facts = {
                "n_train": len(self.division.training),
                "fit_seconds": seconds,
                "peak_memory_mb": max(memory.megabytes, parts.peak_memory_mb),
                "search": list(fitted.trials),
            }
            write_facts(partial, facts)

    def _lesson(self, system: System, parts: "_Parts") -> Lesson:
        return Lesson(
            self.sky.targets,
            self.sky.examples(self.division.training, system.inputs),
            self.sky.examples(self.division.validation, system.inputs),
            derived_seed(self.seed, "system", system.name),
            self.settings.effort,
            parts,
        )


@dataclass
class _Parts:
    """Hands out what a system builds on, and remembers what that has cost."""

    shelf: Shelf
    waited: float = 0.0
    """Seconds that passed here, be it training or reading."""
    seconds: float = 0.0
    """What the training of the parts took, now or long ago."""
    peak_memory_mb: float = 0.0

    def __call__(self, system: System) -> Fitted:
        started = time.perf_counter()
        kept = self.shelf.kept(system)
        self.waited += time.perf_counter() - started
        self.seconds += kept.fit_seconds
        self.peak_memory_mb = max(self.peak_memory_mb, kept.peak_memory_mb)
        return kept.fitted
