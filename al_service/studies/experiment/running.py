"""Every system on every seed, one after the other; what is done is not done again."""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from al_service.errors import InvalidInput
from al_service.studies.experiment.registry import system_named
from al_service.studies.experiment.settings import ExperimentSettings
from al_service.studies.experiment.sky import ExperimentSky
from al_service.studies.experiment.storing import read_facts
from al_service.studies.experiment.trial import MODELS, Job, carry_out, read_trial
from al_service.survey.atomic_folder import clear_partials

Json = dict[str, Any]  # Any: JSON

FORMAT_VERSION: Final = 3
"""Of a trial's folder; with another one, everything is done again."""

_PIXELS_FOLDER: Final = "pixels"
"""Beside the trials: prepared pixels of all skies."""

_DIGITS: Final = 12
"""Hexadecimal digits of a digest in a folder's name: enough among experiments."""


@dataclass(frozen=True)
class Progress:
    """How far an experiment is."""

    job: str
    """What runs now; empty at the end."""
    done: int
    total: int
    seconds_left: float | None
    """Expected; None where no trial has been timed yet."""
    finished: Json | None = None
    """Facts of the trial that has just been carried out; None before the first."""


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
            which systems and which seeds they ask for.
        progress: told before every trial and at the end.

    Returns:
        The facts of every trial, seed by seed, in the order of the systems.
    """
    place = folder / trials_folder(sky, settings)
    for written in (place, place / MODELS):
        clear_partials(written)
    kept = sky.keeping_pixels(folder / _PIXELS_FOLDER)
    jobs = [
        Job(system_named(name), seed)
        for seed in settings.seed_numbers
        for name in settings.systems
    ]
    missing = [job for job in jobs if not (place / job.folder).is_dir()]
    resumed, finished = len(jobs) - len(missing), None
    clock = _Clock(place)
    for number, job in enumerate(missing):
        left = clock.expected(missing[number:])
        progress(Progress(job.folder, resumed + number, len(jobs), left, finished))
        started = time.perf_counter()
        carry_out(kept, settings, job, place / job.folder)
        clock.note(job, time.perf_counter() - started)
        finished = read_trial(place, job)
    progress(Progress("", len(jobs), len(jobs), 0.0, finished))
    return [read_trial(place, job) for job in jobs]


class _Clock:
    """What trials of each system have taken, in this run and in earlier ones.

    Systems differ a thousandfold: the mean of the quick ones says little of those that
    are still to come, the same system under another seed says all.
    """

    def __init__(self, place: Path) -> None:
        self._seconds: dict[str, float] = {}
        # Not the hidden folders of another process: their facts may be half written.
        for facts in place.glob("[!.]*/facts.json"):
            # Of a damaged one that nobody asks for, nothing is expected.
            with suppress(InvalidInput):
                trial = read_facts(facts.parent, "system", "seconds")
                self._seconds[trial["system"]] = trial["seconds"]

    def note(self, job: Job, seconds: float) -> None:
        """A trial is done."""
        self._seconds[job.system.name] = seconds

    def expected(self, jobs: Sequence[Job]) -> float | None:
        """Seconds that some trials will take; None where nothing is known."""
        if not self._seconds:
            return None
        mean = sum(self._seconds.values()) / len(self._seconds)
        return sum(self._seconds.get(job.system.name, mean) for job in jobs)


def trials_folder(sky: ExperimentSky, settings: ExperimentSettings) -> str:
    """Name of the folder of the trials: pool, and digest of all that shapes a trial."""
    which = {"systems", "seeds", "first_seed"}
    shaping = settings.model_dump(mode="json", exclude=which)
    shaping |= {"version": FORMAT_VERSION, "digest": sky.digest}
    text = json.dumps(shaping, sort_keys=True)
    return f"{settings.pool}-{hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]}"
