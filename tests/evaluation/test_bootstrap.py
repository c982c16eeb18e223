import numpy as np
import pytest

from al_service.errors import InvalidInput
from al_service.evaluation.bootstrap import (
    mean_interval,
    paired_difference,
    resampled_counts,
)

GENERATOR_SEED = 4


def lone(count: int) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
    return np.array([f"galaxy {number}" for number in range(count)])


def test_the_interval_of_a_mean_is_that_of_theory() -> None:
    values = np.random.default_rng(GENERATOR_SEED).standard_normal(2000)

    interval = mean_interval(values, lone(2000), seed=0, draws=10_000)

    error = values.std() / np.sqrt(2000)
    assert interval.estimate == values.mean()
    # The 2.5 % quantile of 10,000 draws is known to 3 % of the error, to 8 % of 1000.
    assert interval.low == pytest.approx(values.mean() - 1.96 * error, abs=0.15 * error)
    assert interval.high == pytest.approx(
        values.mean() + 1.96 * error, abs=0.15 * error
    )


def test_observations_of_one_galaxy_do_not_narrow_the_interval() -> None:
    values = np.random.default_rng(GENERATOR_SEED).standard_normal(300)

    once = mean_interval(values, lone(300), seed=0)
    four_times = mean_interval(np.tile(values, 4), np.tile(lone(300), 4), seed=0)

    assert four_times.high - four_times.low == pytest.approx(once.high - once.low)


def test_a_resample_draws_as_many_galaxies_as_there_are() -> None:
    groups = np.array(["a", "a", "b", "c"])

    counts = resampled_counts(groups, seed=0, draws=50)

    assert (counts[:, 0] == counts[:, 1]).all()
    assert (counts[:, 1:].sum(axis=1) == 3).all()


def test_pairing_finds_a_difference_that_is_small_beside_the_scatter() -> None:
    generator = np.random.default_rng(GENERATOR_SEED)
    hard = generator.exponential(size=400)
    better, worse = hard, hard + 0.02 + 0.01 * generator.standard_normal(400)

    difference = paired_difference(worse, better, lone(400), seed=0)

    assert difference.excludes(0.0)
    assert difference.low > 0


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.arange(20.0)

    assert mean_interval(values, lone(20), seed=3) == mean_interval(
        values, lone(20), seed=3
    )


def test_losses_of_different_objects_are_refused() -> None:
    with pytest.raises(InvalidInput, match="same objects"):
        paired_difference(np.zeros(3), np.zeros(4), lone(4), seed=0)


def test_nothing_to_resample_is_refused() -> None:
    with pytest.raises(InvalidInput, match="at least one"):
        mean_interval(np.zeros(0), lone(0), seed=0)
