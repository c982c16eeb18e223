"""Which labels and objects are spoiled, and that examiners stay clean."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from al_service.studies.sky import Sky
from al_service.studies.spoiling import Told, spoil
from al_service.survey.pool_arrays import PoolArrays
from al_service.survey.pool_view import whole_pool
from tests.studies.conftest import JUNK, WRONG, photometry_of


@pytest.fixture(scope="module")
def arrays(small_pool: Path) -> PoolArrays:
    arrays = PoolArrays.open(small_pool)
    errors = 1e-4 * np.arange(1.0, len(arrays) + 1.0)[:, None]  # each one's own
    arrays.columns = replace(arrays.columns, known_errors=errors)
    return arrays


def test_the_shares_are_of_the_objects_that_may_be_asked_for(
    told: Told, sky: Sky
) -> None:
    assert told.wrong[sky.pool].sum() == round(WRONG * len(sky.pool))
    assert told.junk[sky.pool].sum() == round(JUNK * len(sky.pool))
    assert not (told.wrong & told.junk).any()


def test_whoever_examines_stays_as_it_is(
    told: Told, arrays: PoolArrays, sky: Sky
) -> None:
    clean = photometry_of(whole_pool(arrays))

    assert not (told.wrong | told.junk)[sky.test].any()
    np.testing.assert_array_equal(photometry_of(told.view)[sky.test], clean[sky.test])
    np.testing.assert_array_equal(told.values[sky.test], arrays.known_values[sky.test])


def test_a_spoiled_object_has_the_whole_label_of_another_galaxy(
    told: Told, arrays: PoolArrays, sky: Sky
) -> None:
    spoiled = told.wrong | told.junk

    for row in np.flatnonzero(spoiled):
        (other,) = np.flatnonzero(arrays.known_errors[:, 0] == told.errors[row, 0])
        assert arrays.group_ids[other] != arrays.group_ids[row]
        assert other in sky.pool
        np.testing.assert_array_equal(told.values[row], arrays.known_values[other])
    np.testing.assert_array_equal(told.values[~spoiled], arrays.known_values[~spoiled])
    np.testing.assert_array_equal(told.errors[~spoiled], arrays.known_errors[~spoiled])


def test_a_seed_decides_and_the_order_of_the_rows_does_not(
    told: Told, arrays: PoolArrays, sky: Sky
) -> None:
    again = spoil(
        whole_pool(arrays), sky.pool[::-1], seed=0, wrong_labels=WRONG, junk=JUNK
    )
    other = spoil(whole_pool(arrays), sky.pool, seed=1, wrong_labels=WRONG, junk=JUNK)

    np.testing.assert_array_equal(again.values, told.values)
    np.testing.assert_array_equal(photometry_of(again.view), photometry_of(told.view))
    assert (other.junk != told.junk).any()
    assert (other.wrong != told.wrong).any()


def test_nothing_is_spoiled_unless_somebody_asks(arrays: PoolArrays, sky: Sky) -> None:
    view = whole_pool(arrays)

    clean = spoil(view, sky.pool, seed=0)

    assert clean.view is view
    np.testing.assert_array_equal(clean.values, arrays.known_values)
    np.testing.assert_array_equal(clean.errors, arrays.known_errors)
    assert not (clean.wrong | clean.junk).any()
