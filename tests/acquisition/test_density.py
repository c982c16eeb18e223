import numpy as np
import pytest

from al_service.acquisition.density import (
    DENSITY_SAMPLE,
    density_weights,
    represented_rows,
)
from al_service.errors import InvalidInput

LABELED = np.array([[0.0], [10.0]])
POOL = np.array([[0.1], [0.2], [-0.3], [10.1], [9.0], [1.0], [2.0], [3.0]])


def test_a_label_weighs_as_much_as_the_objects_nearest_to_it() -> None:
    # 6 + itself and 2 + itself
    assert density_weights(LABELED, POOL, 1.0) == pytest.approx([1.4, 0.6])


def test_half_an_exponent_takes_the_root_and_keeps_the_mean_at_one() -> None:
    weights = density_weights(LABELED, POOL, 0.5)

    assert weights.mean() == pytest.approx(1.0)
    assert weights[0] / weights[1] == pytest.approx((7 / 3) ** 0.5)


def test_exponent_zero_weighs_all_alike() -> None:
    assert density_weights(LABELED, POOL, 0.0).tolist() == [1.0, 1.0]


def test_a_label_that_nobody_is_near_to_keeps_a_weight() -> None:
    weights = density_weights(np.array([[0.0], [1000.0]]), POOL, 1.0)

    assert weights == pytest.approx([1.8, 0.2])


def test_an_empty_pool_weighs_all_alike() -> None:
    assert density_weights(LABELED, POOL[:0], 1.0).tolist() == [1.0, 1.0]


def test_a_negative_exponent_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"got -0\.5"):
        density_weights(LABELED, POOL, -0.5)


def test_labels_stand_for_the_pool_without_them_or_a_sample_of_it() -> None:
    pool = np.arange(0, 60_000, 2)
    rows = represented_rows(pool, np.array([4, 8]))
    assert len(rows) == DENSITY_SAMPLE
    assert set(rows.tolist()) <= set(pool.tolist()) - {4, 8}
    assert represented_rows(np.array([7, 3, 5]), np.array([5])).tolist() == [3, 7]
