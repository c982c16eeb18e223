"""Small skies for experiments: real photometry, and a simulated survey."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from al_service.features.scan.scanning import scan
from al_service.studies.experiment.settings import Effort, ExperimentSettings
from al_service.studies.experiment.sky import ExperimentSky, with_latents
from al_service.studies.experiment.system import Examples, Lesson
from al_service.survey.pool_arrays import PoolArrays, write_pool_arrays
from al_service.survey.sdss10k import TARGETS, read_sdss10k
from al_service.survey.simulation.simulate import simulate

LEAST_EFFORT = Effort(
    folds=2,
    candidates=1,
    trees=4,
    epochs=1,
    column_epochs=1,
    min_steps=2,
    draws=3,
    members=2,
)
"""Everything runs and nothing is learned."""


@dataclass(frozen=True)
class Sides:
    """Who teaches, who validates and who examines."""

    training: Examples
    validation: Examples
    test: Examples


def real_sky(folder: Path, n: int = 400) -> ExperimentSky:
    """Some galaxies of `sdss10k`; every fifth was observed twice."""
    columns, photometry = read_sdss10k()
    rows = np.arange(n)
    groups = columns.group_ids[rows].copy()
    groups[1::5] = groups[0::5]
    some = replace(
        columns,
        object_ids=columns.object_ids[rows],
        group_ids=groups,
        ra=columns.ra[rows],
        dec=columns.dec[rows],
        known_values=columns.known_values[rows],
        known_errors=columns.known_errors[rows],
    )
    write_pool_arrays(folder, some, photometry=photometry[rows], targets=TARGETS)
    return ExperimentSky(PoolArrays.open(folder))


def simulated_sky(folder: Path, n: int = 96) -> ExperimentSky:
    """A simulated survey with images, spectra, scans and latents."""
    arrays = simulate(folder, n, seed=1)
    spectrum = arrays.inputs(slice(None), modalities=["spectrum"]).spectrum
    assert spectrum is not None
    said = scan(spectrum[:, 0], spectrum[:, 1])
    columns = np.column_stack([said.z, np.sqrt(said.variance), said.confidence])
    return with_latents(arrays, columns)


def small_settings(**given: object) -> ExperimentSettings:
    """An experiment of seconds."""
    settings: dict[str, object] = {
        "pool": "some",
        "systems": ("marginal", "linear_photometry"),
        "n_train": 200,
        "n_validation": 50,
        "n_test": 100,
        "effort": LEAST_EFFORT,
    }
    return ExperimentSettings.model_validate(settings | given)


def small_sides(sky: ExperimentSky, modalities: tuple[str, ...]) -> Sides:
    """The simulated survey, divided."""
    division = sky.divide(
        small_settings(n_train=48, n_validation=16, n_test=16), seed=0
    )
    return Sides(
        sky.examples(division.training, modalities),
        sky.examples(division.validation, modalities),
        sky.examples(division.test, modalities),
    )


def lesson_of(sky: ExperimentSky, training: Examples, validation: Examples) -> Lesson:
    """What teaches next to nothing."""
    return Lesson(sky.targets, training, validation, 7, LEAST_EFFORT)
