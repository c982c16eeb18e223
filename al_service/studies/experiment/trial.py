"""One system on one seed's division: fit, save, load, predict, examine."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from al_service.posterior.predictions import Predictions
from al_service.randomness import derived_seed
from al_service.studies.experiment.examining import (
    calibrated,
    examine,
    uncalibrated_coverage,
)
from al_service.studies.experiment.measurements import Measurements
from al_service.studies.experiment.peak_memory import PeakMemory
from al_service.studies.experiment.settings import ExperimentSettings
from al_service.studies.experiment.shares import shares_of_modalities
from al_service.studies.experiment.sky import ExperimentSky
from al_service.studies.experiment.storing import write_facts
from al_service.studies.experiment.system import Examples, Fitted, Lesson, System
from al_service.survey.atomic_folder import new_folder

MODEL: Final = "model"
PREDICTIONS: Final = "predictions.npz"

Json = dict[str, Any]  # Any: JSON


@dataclass(frozen=True)
class Job:
    """A system and a seed."""

    system: System
    seed: int

    @property
    def folder(self) -> str:
        """Its name among the trials."""
        return f"{self.system.name}-{self.seed}"


def carry_out(
    sky: ExperimentSky, settings: ExperimentSettings, job: Job, folder: Path
) -> None:
    """Write a trial's folder; it appears complete or not at all.

    What predicts is what was loaded from its files, so that a system which forgets
    something in saving shows in its figures.

    Args:
        sky: the objects.
        settings: of the experiment.
        job: what to try.
        folder: of this trial.
    """
    system, division = job.system, sky.divide(settings, job.seed)
    validation = sky.examples(division.validation, system.inputs)
    lesson = Lesson(
        sky.arrays.targets,
        sky.examples(division.training, system.inputs),
        validation,
        derived_seed(job.seed, "system", system.name),
        settings.effort,
    )
    with new_folder(folder) as place:
        (place / MODEL).mkdir()
        with PeakMemory() as memory:
            started = time.perf_counter()
            fitted = system.fit(lesson)
            fit_seconds = time.perf_counter() - started
            fitted.save(place / MODEL)
            del lesson
            loaded = system.load(place / MODEL)
            test = sky.examples(division.test, system.inputs)
            started = time.perf_counter()
            predictions = loaded.predict(test.measurements)
            predict_seconds = time.perf_counter() - started
        rows = list(_rows(loaded, system.inputs, predictions, test, validation))
        write_facts(
            place,
            {
                "system": system.name,
                "family": system.family.value,
                "inputs": list(system.inputs),
                "seed": job.seed,
                "n_train": len(division.training),
                "fit_seconds": fit_seconds,
                "predict_seconds": predict_seconds,
                "n_parameters": loaded.n_parameters,
                "peak_memory_mb": memory.megabytes,
                "rows": rows,
                "shares": shares_of_modalities(loaded, system.inputs, test),
                "search": list(fitted.trials),
            },
        )
        _write_predictions(place / PREDICTIONS, predictions, test, loaded)


def _rows(
    fitted: Fitted,
    inputs: tuple[str, ...],
    predictions: Predictions,
    test: Examples,
    validation: Examples,
) -> Iterator[Json]:
    """Figures with everything that the system looks at, and with each thing hidden."""
    hidden: list[tuple[str, ...]] = [()]
    if len(inputs) > 1:
        hidden += [(name,) for name in inputs]
    for names in hidden:
        seen = predictions
        if names:
            seen = fitted.predict(test.measurements.without(*names))
        before: Measurements = validation.measurements.without(*names)
        raw = uncalibrated_coverage(seen, test.values)
        for row in examine(calibrated(seen, fitted.predict(before), validation), test):
            own = raw[seen.targets.index(row["target"])]
            left = [name for name in inputs if name not in names]
            yield {**row, "inputs": left, "metrics": {**row["metrics"], **own}}


def _write_predictions(
    path: Path, predictions: Predictions, test: Examples, fitted: Fitted
) -> None:
    """Keep what the pictures need."""
    features = fitted.features(test.measurements)
    parts = {} if features is None else {"features": features}
    np.savez_compressed(
        path,
        allow_pickle=False,
        targets=np.array(predictions.targets),
        values=test.values,
        **predictions.arrays(),
        **parts,
    )
