from pathlib import Path

import numpy as np
import pytest

from al_service.errors import InvalidInput
from al_service.studies.sky import draw_sky, known_targets
from al_service.survey.pool_arrays import PoolArrays


def test_no_galaxy_is_on_both_sides(small_pool: Path) -> None:
    arrays = PoolArrays.open(small_pool)

    sky = draw_sky(arrays, seed=0, test_size=100, labels_needed=50)

    asked = set(arrays.group_ids[sky.pool].tolist())
    examining = set(arrays.group_ids[sky.test].tolist())
    assert not asked & examining
    assert len(sky.pool) + len(sky.test) == known_targets(arrays).sum()
    # A galaxy that was observed twice may bring one object more.
    assert len(sky.test) in (100, 101)


def test_objects_without_a_known_label_take_no_part(small_pool: Path) -> None:
    arrays = PoolArrays.open(small_pool)

    sky = draw_sky(arrays, seed=0, test_size=100, labels_needed=50)

    taking_part = np.concatenate([sky.pool, sky.test])
    assert np.isfinite(arrays.known_values[taking_part]).all()


def test_the_pool_is_in_the_order_of_its_random_keys(small_pool: Path) -> None:
    arrays = PoolArrays.open(small_pool)

    sky = draw_sky(arrays, seed=0, test_size=100, labels_needed=50)

    assert (np.diff(sky.random_keys[sky.pool]) > 0).all()


def test_a_seed_decides_the_sky_and_another_seed_another(small_pool: Path) -> None:
    arrays = PoolArrays.open(small_pool)

    first, again, other = (
        draw_sky(arrays, seed=seed, test_size=100, labels_needed=50)
        for seed in (0, 0, 1)
    )

    assert first.pool.tolist() == again.pool.tolist()
    assert first.test.tolist() == again.test.tolist()
    assert first.pool.tolist() != other.pool.tolist()
    assert first.test.tolist() != other.test.tolist()


def test_a_small_pool_keeps_most_of_it_for_asking(small_pool: Path) -> None:
    arrays = PoolArrays.open(small_pool)

    sky = draw_sky(arrays, seed=0, test_size=4000, labels_needed=50)

    share = len(sky.test) / known_targets(arrays).sum()
    assert share == pytest.approx(0.4, abs=0.01)


def test_more_labels_than_the_pool_has_are_refused(small_pool: Path) -> None:
    arrays = PoolArrays.open(small_pool)

    with pytest.raises(InvalidInput, match="at least 1000 galaxies"):
        draw_sky(arrays, seed=0, test_size=100, labels_needed=1000)
