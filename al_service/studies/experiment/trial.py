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
    with new_folder(folder) as place:
        (place / MODEL).mkdir()
        with PeakMemory() as memory:
            done = _do(sky, settings, job, place / MODEL)
        write_facts(
            place,
            {
                "system": job.system.name,
                "family": job.system.family.value,
                "inputs": list(job.system.inputs),
                "seed": job.seed,
                "n_train": done.n_train,
                "fit_seconds": done.fit_seconds,
                "predict_seconds": done.predict_seconds,
                "n_parameters": done.fitted.n_parameters,
                "peak_memory_mb": memory.megabytes,
                "rows": list(_rows(done, job.system.inputs)),
                "shares": shares_of_modalities(
                    done.fitted, job.system.inputs, done.test
                ),
                "search": done.search,
            },
        )
        _write_predictions(place / PREDICTIONS, done)


@dataclass(frozen=True)
class _Done:
    """A system that has learned, was stored, and has predicted."""

    fitted: Fitted
    """As it was loaded."""
    n_train: int
    validation: Examples
    test: Examples
    predictions: Predictions
    fit_seconds: float
    predict_seconds: float
    search: list[Json]


def _do(
    sky: ExperimentSky, settings: ExperimentSettings, job: Job, model: Path
) -> _Done:
    system, division = job.system, sky.divide(settings, job.seed)
    validation = sky.examples(division.validation, system.inputs)
    lesson = Lesson(
        sky.arrays.targets,
        sky.examples(division.training, system.inputs),
        validation,
        derived_seed(job.seed, "system", system.name),
        settings.effort,
    )
    started = time.perf_counter()
    fitted = system.fit(lesson)
    fit_seconds = time.perf_counter() - started
    fitted.save(model)
    loaded = system.load(model)
    test = sky.examples(division.test, system.inputs)
    started = time.perf_counter()
    predictions = loaded.predict(test.measurements)
    return _Done(
        loaded,
        len(division.training),
        validation,
        test,
        predictions,
        fit_seconds,
        time.perf_counter() - started,
        list(fitted.trials),
    )


def _rows(done: _Done, inputs: tuple[str, ...]) -> Iterator[Json]:
    """Figures with everything that the system looks at, and with each thing hidden."""
    fitted, test = done.fitted, done.test
    hidden: list[tuple[str, ...]] = [()]
    if len(inputs) > 1:
        hidden += [(name,) for name in inputs]
    for names in hidden:
        seen = done.predictions
        if names:
            seen = fitted.predict(test.measurements.without(*names))
        before = fitted.predict(done.validation.measurements.without(*names))
        raw = uncalibrated_coverage(seen, test.values)
        for row in examine(calibrated(seen, before, done.validation), test):
            own = raw[seen.targets.index(row["target"])]
            left = [name for name in inputs if name not in names]
            yield {**row, "inputs": left, "metrics": {**row["metrics"], **own}}


def _write_predictions(path: Path, done: _Done) -> None:
    """Keep what the pictures need."""
    features = done.fitted.features(done.test.measurements)
    parts = {} if features is None else {"features": features}
    np.savez_compressed(
        path,
        allow_pickle=False,
        targets=np.array(done.predictions.targets),
        values=done.test.values,
        **done.predictions.arrays(),
        **parts,
    )
