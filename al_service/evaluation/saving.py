"""How sure it is that a strategy has saved labels, given who happens to examine.

Both arms are examined on the same galaxies at every number of labels, and whole
galaxies are drawn again for all of that at once: what is hard for both arms cancels.
What another campaign would have brought, other labels and another start of the
network, is no part of it: for that there are replays with many seeds.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.errors import InvalidInput
from al_service.evaluation.bootstrap import resampled_counts
from al_service.evaluation.curves import error_ratio, label_ratio

Floats = NDArray[np.float64]

DRAWS: Final = 400
"""Resamples: each is two curves whose crossing is looked for."""

_ENDS: Final = (0.025, 0.975)


@dataclass(frozen=True)
class SavingIntervals:
    """95 % intervals of what two arms' curves say; less is better."""

    label_ratio: tuple[float, float]
    """Labels needed for random's final error over random's; an end is infinite where
    the error is not reached."""
    error_ratio: tuple[float, float]


def saving_intervals(
    n_labels: NDArray[np.integer],
    squared: Floats,
    random_squared: Floats,
    group_ids: NDArray[np.str_],
    *,
    seed: int,
    draws: int = DRAWS,
) -> SavingIntervals:
    """Paired bootstrap over the galaxies that examine.

    Args:
        n_labels: `K` growing numbers of labels, the same for both arms.
        squared: `K x E` squared errors of the strategy's models, finite.
        random_squared: `K x E` those of random's, same objects.
        group_ids: `E` galaxies.
        seed: of the resampling.
        draws: number of resamples.
    """
    shape = (len(n_labels), len(group_ids))
    if squared.shape != shape or random_squared.shape != shape:
        raise InvalidInput(
            f"expected {shape[0]} x {shape[1]} squared errors of both arms, got shapes "
            f"{squared.shape} and {random_squared.shape}"
        )
    found = [
        (label_ratio(n_labels, *pair), error_ratio(n_labels, *pair))
        for pair in _resampled_curves(squared, random_squared, group_ids, seed, draws)
    ]
    if not found:
        return SavingIntervals((math.nan, math.nan), (math.nan, math.nan))
    labels, errors = np.array(found).T
    return SavingIntervals(_interval(labels), _interval(errors))


def _resampled_curves(
    squared: Floats,
    random_squared: Floats,
    group_ids: NDArray[np.str_],
    seed: int,
    draws: int,
) -> Iterator[tuple[Floats, Floats]]:
    """Pairs of curves, `1 x K`, from the same galaxies; those with an error of 0 not.

    A square root of a mean square each.
    """
    counts = resampled_counts(group_ids, seed=seed, draws=draws).astype(np.float64)
    totals = counts.sum(axis=1)[:, None]
    curves = np.sqrt(counts @ squared.T / totals)  # S x K
    random_curves = np.sqrt(counts @ random_squared.T / totals)
    for one, other in zip(curves, random_curves, strict=True):
        if min(one.min(), other.min()) > 0.0:
            yield one[None], other[None]


def _interval(drawn: Floats) -> tuple[float, float]:
    # Between an infinite draw and a finite one nothing can be interpolated.
    low, high = np.quantile(drawn, _ENDS, method="inverted_cdf")
    return float(low), float(high)
