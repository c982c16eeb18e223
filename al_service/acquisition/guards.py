"""What a walk must not run into: objects unlike the pool, and one kind only.

The gate holds objects back that lie far from everybody else: junk, artifacts, the odd
discovery. A model learns nothing of them that serves others. They are reported and come
last, they are not dropped: what is odd may be what somebody looks for.

A quota keeps every prefix of an order mixed: no stratum, such as the faintest tenth of
the pool, has more than its share.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.acquisition.isolation import (
    NEIGHBORS,
    REFERENCE,
    neighbor_distances,
)
from al_service.errors import InvalidInput
from al_service.models.samples import evenly

STRATA: Final = 10
"""Tenths of the pool by signal to noise."""

ROUNDING: Final = 1e-9
"""A share of 0.0075 of 400 is 3, and one of 0.14 of 50 is 7."""

_DIGITS: Final = 4
"""Decimals of a squared distance that float32 products agree on."""


def odd_ones(features: NDArray[np.float32], share: float) -> NDArray[np.bool_]:
    """The objects farthest from their neighbors, at most a share of them.

    Args:
        features: `N x D` candidates, scaled for distances, in a fixed order.
        share: of the candidates to hold back, 0 to 1.

    Returns:
        `N` flags; objects whose distances are equal are treated alike.
    """
    count = len(features)
    most = math.floor(share * count + ROUNDING)
    if count <= NEIGHBORS or most == 0:
        return np.zeros(count, dtype=np.bool_)
    reference = features[evenly(np.arange(count), REFERENCE)]
    distance = np.round(neighbor_distances(features, reference), _DIGITS)
    last_in = count - most - 1
    odd: NDArray[np.bool_] = distance > np.partition(distance, last_in)[last_in]
    return odd


def within_quota(
    order: NDArray[np.int64], strata: NDArray[np.int64], most: float
) -> NDArray[np.int64]:
    """The same order, with objects of a stratum that has its share moved back.

    Args:
        order: `K` rows, best first.
        strata: `N` strata of all rows, from 0; -1 belongs to none and is free.
        most: largest share of any prefix that one stratum may have, rounded up.

    Returns:
        The same `K` rows. Where nothing else is left, the quota is exceeded: an object
        is asked late rather than never.
    """
    kinds = int(strata.max(initial=-1)) + 1
    if kinds and most * kinds < 1.0:
        raise InvalidInput(
            f"quota: expected at least 1/{kinds} for {kinds} strata, found {most}"
        )
    return _spread(order, strata, most, kinds)


def sparing(
    order: NDArray[np.int64], few: NDArray[np.int64], most: float
) -> NDArray[np.int64]:
    """The same order, in which some rows have no more than a share of any beginning.

    Args:
        order: `K` rows, best first.
        few: the rows that are to be few.
        most: their largest share of any prefix, rounded up.

    Returns:
        The same `K` rows. Where nothing else is left, the share is exceeded.
    """
    strata = np.full(int(order.max(initial=-1)) + 1, -1)
    strata[few[few < len(strata)]] = 0
    return _spread(order, strata, most, 1)


def _spread(
    order: NDArray[np.int64], strata: NDArray[np.int64], most: float, kinds: int
) -> NDArray[np.int64]:
    """The best of the strata that are within their share comes next."""
    waiting: list[list[int]] = [[] for _ in range(kinds + 1)]
    # One list a stratum, the best place at its end; the last list is of objects without
    # a stratum (-1). The best of the heads comes next, those within their share first.
    for place in range(len(order) - 1, -1, -1):
        waiting[int(strata[order[place]])].append(place)
    counts = np.zeros(kinds + 1, dtype=np.int64)
    chosen: list[int] = []
    while len(chosen) < len(order):
        allowed = math.ceil(most * (len(chosen) + 1) - ROUNDING)
        heads = [
            (counts[kind] >= allowed and kind != kinds, left[-1], kind)
            for kind, left in enumerate(waiting)
            if left
        ]
        _, place, kind = min(heads)
        waiting[kind].pop()
        counts[kind] += 1
        chosen.append(place)
    return order[chosen]


def strata_of(signal: NDArray[np.floating]) -> NDArray[np.int64]:
    """Tenths of a pool by signal to noise.

    Args:
        signal: `N` ratios, NaN where unknown.

    Returns:
        `N` strata from 0, the faintest; -1 where unknown.
    """
    known = np.isfinite(signal)
    strata = np.full(len(signal), -1, dtype=np.int64)
    if known.any():
        edges = np.quantile(signal[known], np.linspace(0, 1, STRATA + 1)[1:-1])
        strata[known] = np.searchsorted(edges, signal[known], side="right")
    return strata
