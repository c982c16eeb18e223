import math

import numpy as np
import pytest
from numpy.typing import NDArray

from al_service.errors import InvalidInput
from al_service.evaluation.curves import (
    area_ratio,
    error_ratio,
    label_ratio,
    labels_saved,
    labels_to_reach,
    round_ratios,
    win_rate,
    with_seed_interval,
    worst_round,
)

N_LABELS = np.array([100, 200, 400, 800])


def power_law(factor: float = 1.0, slope: float = -0.5) -> NDArray[np.float64]:
    return factor * N_LABELS**slope


def test_a_strategy_that_needs_half_the_labels_has_ratio_one_half() -> None:
    # Error at n labels is random's error at 2n.
    errors, random_errors = power_law(2**-0.5)[None], power_law()[None]

    assert label_ratio(N_LABELS, errors, random_errors) == pytest.approx(0.5)
    assert error_ratio(N_LABELS, errors, random_errors) == pytest.approx(2**-0.5)
    assert labels_saved(N_LABELS, errors, random_errors) == pytest.approx(400)


def test_between_two_points_both_axes_are_logarithmic() -> None:
    reached = labels_to_reach(np.array([100, 400]), np.log([1.0, 0.25]), math.log(0.5))

    assert reached == pytest.approx(200)


def test_random_against_itself_is_one() -> None:
    errors = np.stack([power_law(), power_law(1.3)])

    assert label_ratio(N_LABELS, errors, errors) == pytest.approx(1.0)
    assert error_ratio(N_LABELS, errors, errors) == pytest.approx(1.0)
    assert round_ratios(errors, errors).tolist() == [1.0] * 4


def test_an_error_that_is_not_reached_counts_as_more_than_one() -> None:
    errors, random_errors = power_law(2.0)[None], power_law()[None]

    assert label_ratio(N_LABELS, errors, random_errors) == math.inf
    assert labels_saved(N_LABELS, errors, random_errors) is None


def test_a_curve_that_starts_below_needs_only_the_initial_labels() -> None:
    errors, random_errors = power_law(0.1)[None], power_law()[None]

    assert label_ratio(N_LABELS, errors, random_errors) == pytest.approx(1 / 8)


def test_the_initial_point_does_not_enter_the_error_ratio() -> None:
    errors, random_errors = power_law()[None].copy(), power_law()[None]
    errors[0, 0] *= 100

    assert error_ratio(N_LABELS, errors, random_errors) == pytest.approx(1.0)


def test_the_curve_is_interpolated_as_it_is_without_a_running_minimum() -> None:
    # After 0.6 the curve rises to 0.9 before it falls to 0.3; the goal is 0.5.
    errors = np.array([[0.6, 0.9, 0.3]])
    random_errors = np.array([[0.8, 0.7, 0.5]])
    n_labels = np.array([100, 200, 400])

    share = math.log(0.9 / 0.5) / math.log(0.9 / 0.3)
    expected = math.exp(math.log(200) + share * math.log(2)) / 400
    assert label_ratio(n_labels, errors, random_errors) == pytest.approx(expected)


def test_the_point_estimate_is_that_of_the_seed_mean_curve() -> None:
    errors = np.stack([power_law(0.5), power_law(2.0)])
    random_errors = np.stack([power_law(), power_law()])

    # The geometric mean of both seeds is random's curve.
    assert label_ratio(N_LABELS, errors, random_errors) == pytest.approx(1.0)


def test_the_interval_over_seeds_holds_the_estimate_and_knows_what_is_not_reached() -> (
    None
):
    errors = np.stack([power_law(factor) for factor in (0.6, 0.7, 0.8, 1.2)])
    random_errors = np.stack([power_law()] * 4)

    interval = with_seed_interval(label_ratio, N_LABELS, errors, random_errors, seed=0)

    assert interval.low < interval.estimate < interval.high
    assert interval.high == math.inf


def test_an_interval_of_one_seed_is_that_seed() -> None:
    errors, random_errors = power_law(0.7)[None], power_law()[None]

    interval = with_seed_interval(error_ratio, N_LABELS, errors, random_errors, seed=0)

    assert interval.low == interval.high == interval.estimate


def test_seeds_are_resampled_in_pairs() -> None:
    generator = np.random.default_rng(0)
    random_errors = np.stack(
        [power_law(factor) for factor in generator.uniform(1, 9, 8)]
    )

    interval = with_seed_interval(
        error_ratio, N_LABELS, 0.8 * random_errors, random_errors, seed=0
    )

    assert interval.low == pytest.approx(interval.high) == pytest.approx(0.8)


def test_arms_with_different_seeds_are_refused() -> None:
    with pytest.raises(InvalidInput, match="both arms"):
        error_ratio(N_LABELS, power_law()[None], np.stack([power_law()] * 2))


def test_a_single_point_is_no_curve() -> None:
    with pytest.raises(InvalidInput, match="two points"):
        error_ratio(np.array([5]), np.ones((1, 1)), np.ones((1, 1)))


def test_the_worst_round_and_the_win_rate_leave_the_initial_round_out() -> None:
    random_errors = np.stack([power_law(), power_law()])
    errors = random_errors * np.array([[9.0, 0.5, 1.1, 0.9], [9.0, 0.5, 1.3, 1.1]])

    assert worst_round(N_LABELS, errors, random_errors) == pytest.approx(1.2)
    assert win_rate(N_LABELS, errors, random_errors) == pytest.approx(3 / 6)


def test_the_area_counts_every_doubling_alike() -> None:
    """A strategy twice as good in the last doubling only gains half a doubling's."""
    random_errors = power_law()[None]
    errors = random_errors * np.array([[1.0, 1.0, 1.0, 0.5]])

    assert area_ratio(N_LABELS, errors, random_errors) == pytest.approx(0.5 ** (1 / 6))
    assert area_ratio(N_LABELS, random_errors, random_errors) == pytest.approx(1.0)
