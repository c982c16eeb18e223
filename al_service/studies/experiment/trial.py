"""One system on one seed's division: learn, be read back, predict, be examined."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from al_service.studies.experiment.answers import Answers
from al_service.studies.experiment.examining import (
    calibrated,
    examine,
    uncalibrated_coverage,
)
from al_service.studies.experiment.peak_memory import PeakMemory
from al_service.studies.experiment.settings import ExperimentSettings
from al_service.studies.experiment.shares import shares_of_modalities
from al_service.studies.experiment.shelf import Kept, Shelf
from al_service.studies.experiment.sky import ExperimentSky
from al_service.studies.experiment.stored_predictions import StoredPredictions
from al_service.studies.experiment.storing import (
    FACTS,
    damaged,
    read_facts,
    write_facts,
)
from al_service.studies.experiment.system import System
from al_service.studies.surroundings import surroundings
from al_service.survey.atomic_folder import new_folder

MODELS: Final = "models"
"""Beside the trials of an experiment: the folder of what has learned."""

_NEEDED: Final = (
    *("system", "family", "inputs", "seed", "rows", "shares", "search"),
    *("n_train", "n_parameters", "peak_memory_mb"),
    *("fit_seconds", "predict_seconds", "seconds"),
)
"""Facts that reports are made of."""

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
    something in saving shows in its figures. A model that was trained before a run was
    interrupted is not trained again.

    Args:
        sky: the objects.
        settings: of the experiment.
        job: what to try.
        folder: of this trial; models lie beside it.
    """
    started = time.perf_counter()
    division = sky.divide(settings, job.seed)
    models = folder.parent / MODELS
    kept = Shelf(sky, settings, job.seed, division, models).kept(job.system)
    inputs = job.system.inputs
    answers = Answers(
        kept.fitted,
        inputs,
        sky.examples(division.test, inputs),
        sky.examples(division.validation, inputs),
    )
    with new_folder(folder) as place, PeakMemory() as memory:
        asked = time.perf_counter()
        answers.of_test()
        predict_seconds = time.perf_counter() - asked
        facts = _facts(job, kept, answers)
        _stored(answers).write(place)
        facts |= {
            "predict_seconds": predict_seconds,
            "surroundings": surroundings(),
            "peak_memory_mb": max(kept.peak_memory_mb, memory.megabytes),
            "seconds": time.perf_counter() - started,
        }
        write_facts(place, facts)


def read_trial(folder: Path, job: Job) -> Json:
    """The facts of a trial that was carried out.

    Args:
        folder: of all trials.
        job: which.

    Raises:
        InvalidInput: They are gone, damaged, or those of another trial.
    """
    facts = read_facts(folder / job.folder, *_NEEDED)
    if (facts["system"], facts["seed"]) != (job.system.name, job.seed):
        other = f"{facts['system']}-{facts['seed']}"
        error = ValueError(f"expected {job.folder}, found {other}")
        raise damaged(folder / job.folder / FACTS, error)
    return facts


def _facts(job: Job, kept: Kept, answers: Answers) -> Json:
    return {
        "system": job.system.name,
        "family": job.system.family.value,
        "inputs": list(job.system.inputs),
        "seed": job.seed,
        "n_train": kept.n_train,
        "fit_seconds": kept.fit_seconds,
        "n_parameters": kept.fitted.n_parameters,
        "rows": list(_rows(answers)),
        "shares": shares_of_modalities(answers),
        "search": kept.search,
    }


def _rows(answers: Answers) -> Iterator[Json]:
    """Figures with everything that the system looks at, and with some of it hidden."""
    for hidden in answers.everything_hidden():
        seen, before = answers.of_test(*hidden), answers.of_validation(*hidden)
        raw = uncalibrated_coverage(seen, answers.test.values)
        left = [name for name in answers.inputs if name not in hidden]
        widened = calibrated(seen, before, answers.validation)
        for row in examine(widened, answers.test):
            own = raw[seen.targets.index(row["target"])]
            yield {**row, "inputs": left, "metrics": {**row["metrics"], **own}}


def _stored(answers: Answers) -> StoredPredictions:
    return StoredPredictions(
        answers.of_test(),
        answers.test.values,
        answers.fitted.features(answers.test.measurements),
    )
