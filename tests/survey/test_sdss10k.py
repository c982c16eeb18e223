"""The real galaxies that every installation has."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from al_service.survey.photometry_columns import MODEL_FLUX, PETRO_FLUX
from al_service.survey.pool_arrays import PoolArrays, PoolColumns
from al_service.survey.sdss10k import TARGETS, read_sdss10k, write_sdss10k
from al_service.survey.targets import check_values

Floats = NDArray[np.floating[Any]]  # Any: every precision


@pytest.fixture(scope="module")
def galaxies() -> tuple[PoolColumns, Floats]:
    return read_sdss10k()


def test_there_are_ten_thousand_galaxies_with_unique_stable_names(
    galaxies: tuple[PoolColumns, Floats],
) -> None:
    columns, photometry = galaxies
    assert photometry.shape == (10_000, 25)
    assert len(set(columns.object_ids)) == 10_000
    assert columns.object_ids[0] == "SDSS J080820.79+361148.6"
    assert set(columns.group_ids) <= set(columns.object_ids)


def test_every_redshift_is_a_valid_label(galaxies: tuple[PoolColumns, Floats]) -> None:
    columns, _ = galaxies
    assert TARGETS == ("z",)
    assert not any(check_values({"z": float(z)}) for z in columns.known_values[:, 0])
    assert np.median(columns.known_values) == pytest.approx(0.0993, abs=1e-4)


def test_fluxes_are_nanomaggies_of_main_sample_galaxies(
    galaxies: tuple[PoolColumns, Floats],
) -> None:
    _, photometry = galaxies
    magnitude = 22.5 - 2.5 * np.log10(photometry[:, PETRO_FLUX][:, 2])
    assert 16.0 < np.median(magnitude) < 18.0
    ratio = photometry[:, MODEL_FLUX][:, 2] / photometry[:, PETRO_FLUX][:, 2]
    assert np.median(ratio) == pytest.approx(1.0, abs=0.1)


def test_the_pool_is_written_once_and_read_back(
    galaxies: tuple[PoolColumns, Floats], tmp_path: Path
) -> None:
    columns, photometry = galaxies
    digest = write_sdss10k(tmp_path / "sdss10k")
    pool = PoolArrays.open(tmp_path / "sdss10k", digest=digest, verify=True)
    np.testing.assert_array_equal(pool.object_ids, columns.object_ids)
    np.testing.assert_array_equal(pool.inputs(slice(0, 9)).photometry, photometry[:9])
