from itertools import pairwise

import numpy as np
import pytest

from al_service.errors import InvalidInput
from al_service.evaluation.binned_coverage import MOST_BINS, coverage_by_bin


def names(count: int) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
    return np.array([f"galaxy {number}" for number in range(count)])


def test_intervals_that_cover_on_the_average_may_fail_the_faint() -> None:
    """Of 500 objects 68 % are covered: all bright ones, few of the faintest fifth."""
    magnitude = np.random.default_rng(1).permutation(np.linspace(15.0, 20.0, 500))
    inside = np.where(magnitude > 19.0, 0.0, 1.0)
    inside[(magnitude < 18.0) & (np.arange(500) % 5 == 0)] = 0.0

    bins = coverage_by_bin({68: inside}, magnitude, names(500))

    assert [one.n for one in bins] == [100] * MOST_BINS
    assert bins[-1].coverage[68].value == 0.0
    assert bins[-1].coverage[68].high < 0.05
    assert bins[-2].coverage[68].value == 1.0
    assert all(before.high < after.low for before, after in pairwise(bins))
    assert bins[0].low == 15.0
    assert bins[-1].high == 20.0


def test_the_interval_of_a_share_is_that_of_wilson() -> None:
    """Of 20, 15: 0.531 to 0.888."""
    inside = np.where(np.arange(20) < 15, 1.0, 0.0)

    (one,) = coverage_by_bin({68: inside}, np.arange(20.0), names(20))

    share = one.coverage[68]
    assert (share.value, share.low, share.high) == pytest.approx(
        (0.75, 0.5313, 0.8881), abs=1e-4
    )


def test_intervals_hold_the_true_coverage_as_often_as_they_promise() -> None:
    generator = np.random.default_rng(2)
    held = []
    for _ in range(400):
        inside = (generator.random(40) < 0.68).astype(np.float64)
        held += [
            one.coverage[68].low <= 0.68 <= one.coverage[68].high
            for one in coverage_by_bin({68: inside}, generator.random(40), names(40))
        ]

    assert 0.92 <= np.mean(held) <= 0.99


def test_two_spectra_of_one_galaxy_count_once_in_the_interval() -> None:
    inside = np.repeat((np.arange(15) % 3 > 0).astype(np.float64), 2)

    (pairs,) = coverage_by_bin({95: inside}, np.arange(30.0), np.repeat(names(15), 2))
    (alone,) = coverage_by_bin({95: inside}, np.arange(30.0), names(30))

    assert pairs.n == alone.n == 30
    assert pairs.coverage[95].value == alone.coverage[95].value
    assert pairs.coverage[95].low < alone.coverage[95].low


def test_few_objects_and_unknown_ones_have_no_bin() -> None:
    inside = np.ones(30)
    by = np.arange(30.0)

    assert coverage_by_bin({68: inside[:19]}, by[:19], names(19)) == []
    by[:11] = np.nan
    assert coverage_by_bin({68: inside}, by, names(30)) == []
    assert len(coverage_by_bin({68: inside}, np.arange(30.0), names(30))) == 1


def test_columns_of_different_objects_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"lengths \[29, 30\]"):
        coverage_by_bin({68: np.ones(30)}, np.zeros(29), names(30))
