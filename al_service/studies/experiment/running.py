"""Every system on every seed, one after the other; what is done is not done again."""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from al_service.studies.experiment.registry import system_named
from al_service.studies.experiment.settings import ExperimentSettings
from al_service.studies.experiment.sky import ExperimentSky
from al_service.studies.experiment.storing import read_facts
from al_service.studies.experiment.trial import Job, carry_out

Json = dict[str, Any]  # Any: JSON

FORMAT_VERSION: Final = 1
"""Of a trial's folder; with another one, everything is done again."""

_DIGITS: Final = 12
"""Hexadecimal digits of a digest in a folder's name: enough among experiments."""


@dataclass(frozen=True)
class Progress:
    """How far an experiment is."""

    job: str
    """What runs now; empty at the end."""
    done: int
    total: int
    resumed: int
    """Trials that an earlier run had finished."""
    seconds: float
    """Since the start."""

    @property
    def seconds_left(self) -> float | None:
        """Expected remaining time; None before the first trial of this run."""
        fresh = self.done - self.resumed
        if fresh == 0:
            return None
        return (self.total - self.done) * self.seconds / fresh


def run_experiment(
    sky: ExperimentSky,
    settings: ExperimentSettings,
    folder: Path,
    *,
    progress: Callable[[Progress], None] = lambda _: None,
) -> list[Json]:
    """Carry out what is missing and read everything.

    Args:
        sky: the objects.
        settings: systems and seeds.
        folder: of all experiments; trials are shared by those that differ only in
            which systems and how many seeds they ask for.
        progress: told before every trial and at the end.

    Returns:
        The facts of every trial, seed by seed, in the order of the systems.
    """
    place = folder / trials_folder(sky, settings)
    jobs = [
        Job(system_named(name), seed)
        for seed in range(settings.seeds)
        for name in settings.systems
    ]
    missing = [job for job in jobs if not (place / job.folder).is_dir()]
    resumed, started = len(jobs) - len(missing), time.perf_counter()

    def tell(job: str, fresh: int) -> None:
        seconds = time.perf_counter() - started
        progress(Progress(job, resumed + fresh, len(jobs), resumed, seconds))

    for number, job in enumerate(missing):
        tell(job.folder, number)
        carry_out(sky, settings, job, place / job.folder)
    tell("", len(missing))
    return [read_facts(place / job.folder) for job in jobs]


def trials_folder(sky: ExperimentSky, settings: ExperimentSettings) -> str:
    """Name of the folder of the trials: pool, and digest of all that shapes a trial."""
    shaping = settings.model_dump(mode="json", exclude={"systems", "seeds"})
    shaping |= {"version": FORMAT_VERSION, "digest": sky.digest}
    text = json.dumps(shaping, sort_keys=True)
    return f"{settings.pool}-{hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]}"
