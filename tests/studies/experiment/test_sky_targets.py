"""Targets of which the labels are few, or on different objects."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from al_service.studies.experiment.running import run_experiment
from al_service.studies.experiment.sky import ExperimentSky
from al_service.studies.experiment.table import lines_of
from al_service.survey.pool_arrays import PoolArrays, PoolColumns, write_pool_arrays
from al_service.survey.sdss10k import read_sdss10k
from tests.studies.experiment.skies import small_settings

TARGETS = ("z", "sfr_avg", "sfr_median")


def sky_of(folder: Path, values: NDArray[np.float64]) -> ExperimentSky:
    """Galaxies of `sdss10k` with other labels."""
    columns, photometry = read_sdss10k()
    rows = np.arange(len(values))
    some = PoolColumns(
        object_ids=columns.object_ids[rows],
        group_ids=columns.group_ids[rows],
        ra=columns.ra[rows],
        dec=columns.dec[rows],
        known_values=values,
        known_errors=np.full(values.shape, np.nan),
    )
    write_pool_arrays(folder, some, photometry=photometry[rows], targets=TARGETS)
    return ExperimentSky(PoolArrays.open(folder))


def test_a_target_with_hardly_a_label_is_left_out(tmp_path: Path) -> None:
    """It ended every regression with a message of a library's."""
    values = np.random.default_rng(0).normal(0.1, 0.01, size=(400, 3))
    values[5:, 1] = np.nan
    sky = sky_of(tmp_path / "few", values)

    systems = ("marginal", "linear_photometry", "random_forest_colors")
    trials = run_experiment(sky, small_settings(systems=systems), tmp_path / "trials")

    assert sky.targets == ("z", "sfr_median")
    assert {line.target for line in lines_of(trials)} == {"z", "sfr_median"}


def test_a_forest_learns_targets_of_different_objects(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(0.1, 0.01, size=(400, 3))
    values[:200, 0] = np.nan
    values[200:, 1:] = np.nan
    sky = sky_of(tmp_path / "apart", values)

    settings = small_settings(systems=("random_forest_photometry",))
    trials = run_experiment(sky, settings, tmp_path / "trials")

    assert {line.target for line in lines_of(trials)} == set(TARGETS)
