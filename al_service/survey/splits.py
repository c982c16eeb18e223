"""Which objects teach and which examine: decided once, by galaxy."""

from enum import StrEnum
from typing import Final

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
