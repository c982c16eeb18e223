"""Which objects teach and which examine: decided once, by galaxy."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.randomness import unit_hash

EVALUATION_SHARE: Final = 0.2


class SplitName(StrEnum):
    """The side of an object for the whole life of its pool."""

    POOL = "pool"  # may be asked for and trained on
    EVALUATION = "evaluation"  # examines; never ranked, never trained on


def split_of(
    seed: int, group_id: str, evaluation_share: float = EVALUATION_SHARE
) -> str:
    """The split of a galaxy: sha256 of the pool's seed and the group.

    Args:
        seed: the pool's seed.
        group_id: the galaxy; all its observations share the answer.
        evaluation_share: expected share of galaxies that examine.

    Returns:
        A value of `SplitName`.
    """
    # The word "split" keeps the answer independent of random keys under the same seed.
    if unit_hash(seed, "split", group_id) < evaluation_share:
        return SplitName.EVALUATION.value
    return SplitName.POOL.value


def splits_of(
    seed: int, group_ids: Iterable[str], evaluation_share: float = EVALUATION_SHARE
) -> NDArray[np.str_]:
    """`split_of` for many galaxies: `N` groups in, `N` values out."""
    return np.array([split_of(seed, str(g), evaluation_share) for g in group_ids])
