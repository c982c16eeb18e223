"""Uncertain objects by lot: the cheapest cure of the plain top list (Kirsch 2021).

An object comes before another one with the odds of their scores to the power β. Adding
Gumbel noise to β·log(score) and sorting draws exactly so, without replacement, and the
noise is a hash of the object's random key: what was drawn stays drawn, whatever else
is in the pool.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)
_SPARE_BITS: Final = np.uint64(11)
"""A float64 carries 53 of 64 bits."""

_SMALLEST: Final = 1e-300
"""Stands for a score of 0 under the logarithm."""


def by_lot(
    score: NDArray[np.float64],
    random_keys: NDArray[np.int64],
    *,
    power: float,
    seed: int,
) -> NDArray[np.float64]:
    """Scores whose order is a draw without replacement.

    Args:
        score: `N` scores, at least 0.
        random_keys: `N` fixed random keys.
        power: β; 0 is a random order, large ones approach the top list.
        seed: makes the draw another one than the random sample's.

    Returns:
        `N` finite numbers, more is earlier.
    """
    uniform = _mixed(random_keys, seed)
    noise = -np.log(-np.log(uniform))
    lot: NDArray[np.float64] = power * np.log(np.maximum(score, _SMALLEST)) + noise
    return lot


def _mixed(keys: NDArray[np.int64], seed: int) -> NDArray[np.float64]:
    """`N` numbers in (0, 1): the keys and the seed through splitmix64 (Steele 2014)."""
    mixed = keys.view(np.uint64) ^ np.uint64(seed)
    mixed = mixed + _GOLDEN
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _FIRST
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
    mixed = mixed ^ (mixed >> np.uint64(31))
    return ((mixed >> _SPARE_BITS).astype(np.float64) + 0.5) * 2.0**-53
