"""What a walk must not run into: objects unlike the pool, and one kind only.

The gate holds objects back that lie far from everybody else: junk, artifacts, the odd
discovery. A model learns nothing of them that serves others. They are reported and come
last, they are not dropped: what is odd may be what somebody looks for.

A quota keeps every prefix of an order mixed: no stratum, such as the faintest tenth of
the pool, has more than its share.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Share:
    """Kinds of objects none of which may have more of any beginning of an order."""

    kinds: NDArray[np.int64]
    """`N` kinds of all rows, from 0; -1 belongs to none and is free."""
    most: float
    """Share of any prefix, rounded up."""


def quota_share(strata: NDArray[np.int64], most: float) -> Share:
    """The share of every stratum.

    Args:
        strata: `N` strata of all rows, from 0; -1 for none.
        most: largest share of any prefix that one stratum may have.

    Raises:
        InvalidInput: all strata together could not fill an order.
    """
    kinds = int(strata.max(initial=-1)) + 1
    if kinds and most * kinds < 1.0:
        raise InvalidInput(
            f"quota: expected at least 1/{kinds} for {kinds} strata, found {most}"
        )
    return Share(strata, most)


def share_of_few(few: NDArray[np.int64], most: float, *, count: int) -> Share:
    """The share of some rows that are to be few.

    Args:
        few: the rows.
        most: their largest share of any prefix.
        count: `N` of all rows.
    """
    kinds = np.full(count, -1, dtype=np.int64)
    kinds[few] = 0
    return Share(kinds, most)


def within_shares(
    order: NDArray[np.int64], shares: Sequence[Share]
) -> NDArray[np.int64]:
    """The same order, with objects moved back whose kind has its share.

    Args:
        order: `K` rows, best first.
        shares: all of which an object must keep.

    Returns:
        The same `K` rows. Where nothing else is left, a share is exceeded: an object
        is asked late rather than never.
    """
    # One list for all that are of the same kinds, the best place at its end. The best
    # of the heads comes next, those within their shares first.
    waiting: dict[tuple[int, ...], list[int]] = {}
    of_place = np.stack([share.kinds[order] for share in shares], axis=1).tolist()
    for place in range(len(order) - 1, -1, -1):
        waiting.setdefault(tuple(of_place[place]), []).append(place)
    counts = [Counter[int]() for _ in shares]
    chosen: list[int] = []
    while len(chosen) < len(order):
        allowed = [
            math.ceil(share.most * (len(chosen) + 1) - ROUNDING) for share in shares
        ]
        heads = [
            (_exceeded(kinds, counts, allowed), left[-1], kinds)
            for kinds, left in waiting.items()
            if left
        ]
        _, place, kinds = min(heads)
        waiting[kinds].pop()
        for count, kind in zip(counts, kinds, strict=True):
            count[kind] += 1
        chosen.append(place)
    return order[chosen]


def _exceeded(
    kinds: tuple[int, ...], counts: Sequence[Counter[int]], allowed: Sequence[int]
) -> int:
    """How many shares one more object of these kinds would exceed."""
    return sum(
        kind >= 0 and count[kind] >= most
        for kind, count, most in zip(kinds, counts, allowed, strict=True)
    )


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
