"""Where intervals keep their promise: coverage by redshift and by magnitude.

Split conformal intervals cover on the average over all objects. Among faint ones they
may cover less and among bright ones more, and nothing in their making prevents it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.errors import InvalidInput

Floats = NDArray[np.float64]

MOST_BINS: Final = 5
"""More would each rest on too few galaxies of an ordinary evaluation sample."""

FEWEST_OF_A_BIN: Final = 20
"""Below this the interval of a coverage of 68 % is wider than forty points."""

_NORMAL_95: Final = 1.959963985
"""Standard deviations of a two-sided 95 % interval."""


@dataclass(frozen=True)
class Share:
    """A share with its 95 % interval (Wilson 1927)."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Bin:
    """The objects of one range."""

    low: float
    """The smallest of their values."""
    high: float
    """The largest."""
    n: int
    """Objects."""
    coverage: Mapping[int, Share]
    """Level of the intervals, per cent, to the share that held the truth."""


def coverage_by_bin(
    inside: Mapping[int, Floats], by: Floats, group_ids: NDArray[np.str_]
) -> list[Bin]:
    """Coverage in ranges that hold equally many objects.

    Args:
        inside: level, per cent, to `N` numbers: 1 where the interval held the truth, 0
            where it did not, NaN where the truth is unknown.
        by: `N` values to divide by; NaN where unknown.
        group_ids: `N` galaxies: two observations of one say little more than one.

    Returns:
        At most `MOST_BINS` bins, ascending, none of them with fewer than
        `FEWEST_OF_A_BIN` objects; nothing where there are not so many.
    """
    lengths = {len(by), len(group_ids), *(len(one) for one in inside.values())}
    if len(lengths) != 1:
        raise InvalidInput(
            "expected one value and one galaxy for each interval, got lengths "
            f"{sorted(lengths)}"
        )
    known = np.isfinite(by)
    for one in inside.values():
        known = known & np.isfinite(one)
    rows = np.flatnonzero(known)
    count = min(MOST_BINS, len(rows) // FEWEST_OF_A_BIN)
    if count == 0:
        return []
    ordered = rows[np.argsort(by[rows], kind="stable")]
    return [
        Bin(
            float(by[some[0]]),
            float(by[some[-1]]),
            len(some),
            {
                level: _share(float(one[some].mean()), len(np.unique(group_ids[some])))
                for level, one in inside.items()
            },
        )
        for some in np.array_split(ordered, count)
    ]


def _share(value: float, count: int) -> Share:
    """The Wilson interval of a share among `count` independent galaxies."""
    square = _NORMAL_95**2
    center = (value + square / (2 * count)) / (1 + square / count)
    spread = math.sqrt(value * (1 - value) / count + square / (4 * count**2))
    half = _NORMAL_95 * spread / (1 + square / count)
    return Share(value, max(center - half, 0.0), min(center + half, 1.0))
