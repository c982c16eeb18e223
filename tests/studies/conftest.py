"""A small real pool: some of the galaxies of `sdss10k`."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from al_service.models.config import ModelConfig
from al_service.studies.settings import ReplaySettings
from al_service.studies.sky import Sky, draw_sky
from al_service.studies.spoiling import Told, spoil
from al_service.survey.pool_arrays import PoolArrays, write_pool_arrays
from al_service.survey.pool_view import PoolView, whole_pool
from al_service.survey.sdss10k import TARGETS, read_sdss10k

N_GALAXIES = 600

WRONG, JUNK = 0.1, 0.2

SMALL_MODEL = ModelConfig(
    dim=16, members=2, hidden=16, noise_hidden=4, epochs=2, min_steps=20
)


def small_replay(**given: object) -> ReplaySettings:
    """A replay of seconds: what it learns is nothing, what it keeps is everything."""
    settings: dict[str, object] = {
        "pool": "some",
        "strategies": ("default",),
        "seeds": 2,
        "initial": 40,
        "batch": 20,
        "rounds": 2,
        "model": SMALL_MODEL,
        "processes": 1,
    }
    return ReplaySettings.model_validate(settings | given)


def photometry_of(view: PoolView) -> NDArray[np.float32]:
    """`N x P`, as networks see it."""
    return view.take(slice(None)).photometry


@pytest.fixture(scope="module")
def sky(arrays: PoolArrays) -> Sky:
    """Of a module's own `arrays`."""
    return draw_sky(arrays, seed=0, test_size=150, labels_needed=50)


@pytest.fixture(scope="module")
def told(arrays: PoolArrays, sky: Sky) -> Told:
    """What a campaign is told of them, much of it spoiled."""
    return spoil(whole_pool(arrays), sky.pool, seed=0, wrong_labels=WRONG, junk=JUNK)


@pytest.fixture(scope="session")
def small_pool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """600 galaxies; every fifth was observed twice, every seventh has no label."""
    columns, photometry = read_sdss10k()
    rows = np.arange(N_GALAXIES)
    groups = columns.group_ids[rows].copy()
    groups[1::5] = groups[0::5]
    values = columns.known_values[rows].copy()
    values[::7] = np.nan
    some = replace(
        columns,
        object_ids=columns.object_ids[rows],
        group_ids=groups,
        ra=columns.ra[rows],
        dec=columns.dec[rows],
        known_values=values,
        known_errors=columns.known_errors[rows],
    )
    path = tmp_path_factory.mktemp("pools") / "some"
    write_pool_arrays(path, some, photometry=photometry[rows], targets=TARGETS)
    return path
