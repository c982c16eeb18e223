"""Intervals by resampling galaxies: observations of one galaxy are not independent."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from al_service.errors import InvalidInput

DRAWS = 1000
"""Resamples: the 2.5 % quantile of 1000 rests on 25 of them."""


@dataclass(frozen=True)
class Interval:
    """An estimate with its bootstrap interval."""

    estimate: float
    low: float
    high: float

    def excludes(self, value: float) -> bool:
        """Whether the value lies outside the interval."""
        return value < self.low or value > self.high


def resampled_counts(
    group_ids: NDArray[np.str_], *, seed: int, draws: int = DRAWS
) -> NDArray[np.int64]:
    """How often each object is in each resample of its galaxies.

    Args:
        group_ids: `N` galaxies.
        seed: of the resampling.
        draws: number of resamples `S`.

    Returns:
        `S x N` counts; objects of one galaxy share theirs.
    """
    if len(group_ids) == 0:
        raise InvalidInput("expected at least one object to resample, got none")
    groups, member = np.unique(group_ids, return_inverse=True)
    generator, n_groups = np.random.default_rng(seed), len(groups)
    counts = np.empty((draws, n_groups), dtype=np.int64)
    # One multinomial of all draws is the same and takes ten times as long.
    for drawn in counts:
        drawn[:] = np.bincount(
            generator.integers(n_groups, size=n_groups), minlength=n_groups
        )
    return counts[:, member]


def mean_interval(
    values: NDArray[np.float64],
    group_ids: NDArray[np.str_],
    *,
    seed: int,
    level: float = 0.95,
    draws: int = DRAWS,
) -> Interval:
    """Interval of a mean.

    Args:
        values: `N` values, one per object.
        group_ids: `N` galaxies.
        seed: of the resampling.
        level: probability that the interval should hold.
        draws: number of resamples.
    """
    counts = resampled_counts(group_ids, seed=seed, draws=draws)
    means = counts.astype(np.float64) @ values / counts.sum(axis=1)
    return percentile_interval(float(np.mean(values)), means, level)


def paired_difference(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    group_ids: NDArray[np.str_],
    *,
    seed: int,
    level: float = 0.95,
    draws: int = DRAWS,
) -> Interval:
    """Interval of mean(first) - mean(second) on the same objects.

    The same galaxies are drawn for both, so that what is hard for both cancels.

    Args:
        first: `N` losses of one model.
        second: `N` losses of the other, same objects.
        group_ids: `N` galaxies.
        seed: of the resampling.
        level: probability that the interval should hold.
        draws: number of resamples.
    """
    if first.shape != second.shape:
        raise InvalidInput(
            f"expected losses of the same objects, got shapes {first.shape} "
            f"and {second.shape}"
        )
    return mean_interval(first - second, group_ids, seed=seed, level=level, draws=draws)


def percentile_interval(
    estimate: float, draws: NDArray[np.float64], level: float = 0.95
) -> Interval:
    """The interval that holds the middle of the draws; undefined draws are left out.

    Args:
        estimate: the statistic of the objects as they are.
        draws: `S` resampled values of it.
        level: share of the draws that the interval holds.
    """
    tail = 50.0 * (1.0 - level)
    finite = draws[np.isfinite(draws)]
    if len(finite) == 0:
        return Interval(estimate, np.nan, np.nan)
    low, high = np.percentile(finite, [tail, 100.0 - tail])
    return Interval(estimate, float(low), float(high))
