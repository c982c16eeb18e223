"""Candidates, and the greedy walks over them: one object after the other."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from al_service.acquisition.distances import FindNearest
from al_service.acquisition.information import Knowledge


@dataclass(frozen=True)
class Candidates:
    """What may be asked: every row is free and no galaxy of it is taken."""

    features: NDArray[np.floating]
    """Whitened features, at least of the candidates; a memory map is not read."""

    rows: NDArray[np.int64]
    """`N` rows in the features: a million candidates copy no features."""

    score: NDArray[np.float64]
    """`N` summed noise-normalized epistemic variances."""

    object_ids: NDArray[np.str_]
    group_ids: NDArray[np.str_]

    random_keys: NDArray[np.int64]
    """`N` fixed random keys of the campaign."""

    knowledge: Knowledge | None = None
    """Of the posterior, for strategies that look at it."""

    find_nearest: FindNearest | None = None
    """Instead of `nearest_center`."""

    def take(self, rows: NDArray[np.integer]) -> "Candidates":
        """The same columns for some rows."""
        return Candidates(
            features=self.features,
            rows=self.rows[rows],
            score=self.score[rows],
            object_ids=self.object_ids[rows],
            group_ids=self.group_ids[rows],
            random_keys=self.random_keys[rows],
            knowledge=None if self.knowledge is None else self.knowledge.take(rows),
            find_nearest=self.find_nearest,
        )


class Walk(Protocol):
    """A greedy rule: every prefix of its choices is a batch."""

    def choose(self) -> int | None:
        """The next row, or None when no other one is worth more than nothing."""
        ...

    def retire(self, rows: NDArray[np.int64]) -> None:
        """Take rows out of the walk: they can neither be chosen nor weigh anything."""
        ...


def follow(walk: Walk, group_ids: NDArray[np.str_], *, size: int) -> NDArray[np.int64]:
    """The first choices of a walk, one observation of each galaxy.

    Args:
        walk: the rule.
        group_ids: `N` galaxies.
        size: how many choices at most.

    Returns:
        At most `size` rows in the order of choice.
    """
    groups = group_ids.tolist()
    galaxy = _numbered(groups) if len(set(groups)) < len(groups) else None
    chosen: list[int] = []
    while len(chosen) < size and (row := walk.choose()) is not None:
        chosen.append(row)
        if galaxy is not None:
            walk.retire(np.flatnonzero(galaxy == galaxy[row]))
    return np.asarray(chosen, dtype=np.int64)


def _numbered(groups: list[str]) -> NDArray[np.int64]:
    """The galaxies as numbers, which compare faster than texts."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(group, len(numbers)) for group in groups])
