"""Junk in place of galaxies: what networks and guards see of it."""

from pathlib import Path

import numpy as np
import pytest

from al_service.studies.arms import parse_arm
from al_service.studies.guarding import held_back, strata_of_rows
from al_service.studies.sky import Sky
from al_service.studies.spoiling import Told, spoil
from al_service.survey.photometry_columns import (
    EXTINCTION,
    MODEL_FLUX,
    MODEL_FLUX_ERROR,
    PETRO_FLUX,
    PETRO_FLUX_ERROR,
)
from al_service.survey.pool_arrays import PoolArrays, write_pool_arrays
from al_service.survey.pool_view import whole_pool
from tests.studies.conftest import JUNK, SMALL_MODEL, photometry_of


@pytest.fixture(scope="module")
def arrays(small_pool: Path) -> PoolArrays:
    return PoolArrays.open(small_pool)


def test_no_galaxy_looks_like_junk(told: Told, arrays: PoolArrays) -> None:
    """Neighboring bands of galaxies agree within two magnitudes; of junk few do."""
    seen, clean = photometry_of(told.view), photometry_of(whole_pool(arrays))

    def agree(some: np.ndarray) -> float:
        gri = some[:, MODEL_FLUX][:, 1:4]
        return float((gri.max(axis=1) < 6.3 * gri.min(axis=1)).mean())

    assert agree(clean[told.junk]) > 0.9
    assert agree(seen[told.junk]) < 0.3
    np.testing.assert_array_equal(seen[~told.junk], clean[~told.junk])


def test_junk_has_the_dust_of_its_place_and_errors_of_its_fluxes(
    told: Told, arrays: PoolArrays
) -> None:
    seen, clean = photometry_of(told.view), photometry_of(whole_pool(arrays))
    np.testing.assert_array_equal(
        seen[told.junk][:, EXTINCTION], clean[told.junk][:, EXTINCTION]
    )
    for flux, error in ((MODEL_FLUX, MODEL_FLUX_ERROR), (PETRO_FLUX, PETRO_FLUX_ERROR)):
        known = np.sort(clean[:, flux] / clean[:, error], axis=0)
        ratio = seen[told.junk][:, flux] / seen[told.junk][:, error]
        for band in range(ratio.shape[1]):
            column = known[:, band][np.isfinite(known[:, band])]
            found = ratio[:, band][np.isfinite(ratio[:, band])]
            place = np.searchsorted(column, found).clip(1, len(column) - 1)
            nearest = np.minimum(
                abs(column[place] - found), abs(column[place - 1] - found)
            )
            assert len(found) > 0.9 * len(ratio)
            np.testing.assert_array_less(nearest, 1e-4 * abs(found) + 1e-6)


def test_junk_is_seen_wherever_objects_are_taken_from(told: Told) -> None:
    seen = photometry_of(told.view)
    rows = np.flatnonzero(told.junk)[::-3]

    some = told.view.of(rows)

    np.testing.assert_array_equal(photometry_of(some), seen[rows])
    np.testing.assert_array_equal(some.take(slice(1, 3)).photometry, seen[rows[1:3]])
    np.testing.assert_array_equal(
        some.take(rows == rows[2]).photometry, seen[rows[2:3]]
    )


def test_junk_is_measured_where_the_galaxy_was_not(
    arrays: PoolArrays, sky: Sky, told: Told, tmp_path: Path
) -> None:
    fluxes = photometry_of(whole_pool(arrays)).copy()
    bare = np.flatnonzero(told.junk)[0]
    fluxes[bare] = np.nan
    path = tmp_path / "bare"
    write_pool_arrays(path, arrays.columns, photometry=fluxes, targets=arrays.targets)
    view = whole_pool(PoolArrays.open(path))
    again = spoil(view, sky.pool, seed=0, junk=JUNK)
    row = np.array([bare])

    (has,) = again.view.of(row).take(slice(None)).has_photometry

    assert again.junk[bare]
    assert has
    guarded = parse_arm(
        'lcmd:hold_back=["incomplete_photometry"]', model=SMALL_MODEL
    ).strategy
    assert held_back(guarded, view, row) == [True]
    assert held_back(guarded, again.view, row) == [False]


def test_quotas_look_at_the_junk_and_not_at_what_it_hides(
    told: Told, arrays: PoolArrays, sky: Sky
) -> None:
    clean, junk = whole_pool(arrays), np.flatnonzero(told.junk)
    mixed = parse_arm("lcmd:quota=0.5", model=SMALL_MODEL).strategy

    seen, hidden = (
        strata_of_rows(mixed, view, junk, pool_rows=sky.pool)
        for view in (told.view, clean)
    )

    assert seen is not None
    assert hidden is not None
    assert (seen != hidden).any()
