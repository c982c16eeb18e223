"""Batches that cover what the labeled set does not: LCMD (Holzmueller et al. 2023).

Every unlabeled object belongs to its nearest center (a labeled or pending object, or
one chosen before). The cluster with the largest sum of squared distances is the
region that the labels explain worst; its farthest object is chosen and becomes a
center itself. The choice is greedy, so every prefix of the order is a batch.
"""

import heapq

import numpy as np
from numpy.typing import NDArray

from al_service.acquisition.distances import (
    Nearest,
    approximate_distances,
    settle_nearer,
)

_LOOKAHEAD = 16
"""Columns of distances computed at once.

One column is bound by reading all features from memory, so sixteen cost about what
one does; the next picks are nearly always among the farthest objects of the sixteen
heaviest clusters.
"""


class LargestClusterMaximumDistance:
    """The greedy walk over one set of candidates."""

    def __init__(
        self,
        features: NDArray[np.float32],
        nearest: Nearest,
        *,
        n_centers: int,
        object_ids: NDArray[np.str_],
    ) -> None:
        """Start from the centers that exist.

        Args:
            features: `N x D` candidates.
            nearest: each candidate's center.
            n_centers: how many centers there are.
            object_ids: `N` identifiers, which break ties.
        """
        self._features = features
        self._object_ids = object_ids
        self._cluster = nearest.center.copy()
        self._squared = nearest.squared.copy()
        self._n_centers = n_centers
        self._norms = np.einsum("nd,nd->n", features, features)
        self._columns: dict[int, NDArray[np.float32]] = {}
        self._shrink = 0.5

    def choose(self) -> int | None:
        """The next row, or None when every candidate coincides with a center."""
        mass = np.bincount(
            self._cluster, weights=self._squared, minlength=self._n_centers
        ).astype(np.float64)
        heaviest = mass.max(initial=0.0)
        if heaviest <= 0.0:
            return None
        row = self._farthest(np.flatnonzero(mass == heaviest))
        if row not in self._columns:
            self._look_ahead(row, mass)
        cluster = self._cluster[row]
        self._add_center(row)
        left = self._squared[self._cluster == cluster].sum()
        self._shrink = min(1.0, float(left / heaviest))
        return row

    def retire(self, rows: NDArray[np.int64]) -> None:
        """Take rows out of the walk: they can neither be chosen nor weigh anything."""
        self._squared[rows] = 0.0

    def _farthest(self, clusters: NDArray[np.int64]) -> int:
        """The object of these clusters farthest from its center, ties by object id."""
        if len(clusters) == 1:
            members = np.flatnonzero(self._cluster == clusters[0])
        else:
            members = np.flatnonzero(np.isin(self._cluster, clusters))
        squared = self._squared[members]
        farthest = members[squared == squared.max()]
        if len(farthest) == 1:
            return int(farthest[0])
        return int(farthest[np.argsort(self._object_ids[farthest], kind="stable")[0]])

    def _look_ahead(self, row: int, mass: NDArray[np.float64]) -> None:
        """Compute the distances to this row and to those likely to be chosen next."""
        picks = np.asarray([row, *self._likely(row, mass)], dtype=np.int64)
        products = approximate_distances(self._features, self._norms, picks)
        self._columns = dict(zip(picks.tolist(), products, strict=True))

    def _likely(self, row: int, mass: NDArray[np.float64]) -> list[int]:
        """Guess the next choices: each shrinks its cluster as the last one did."""
        heap: list[tuple[float, int, list[int]]] = []
        for cluster in np.argsort(-mass, kind="stable")[:_LOOKAHEAD].tolist():
            members = np.flatnonzero(self._cluster == cluster)
            squared = self._squared[members]
            if len(members) > _LOOKAHEAD:
                top = np.argpartition(-squared, _LOOKAHEAD)[:_LOOKAHEAD]
                members, squared = members[top], squared[top]
            queue = members[(squared > 0.0) & (members != row)]
            order = np.argsort(self._squared[queue], kind="stable")
            heap.append((-float(mass[cluster]), cluster, queue[order].tolist()))
        heapq.heapify(heap)
        guesses: list[int] = []
        while heap and len(guesses) < _LOOKAHEAD - 1:
            negative_mass, cluster, queue = heapq.heappop(heap)
            if queue:
                guesses.append(queue.pop())
                heapq.heappush(heap, (negative_mass * self._shrink, cluster, queue))
        return guesses

    def _add_center(self, row: int) -> None:
        """Move the objects that are nearer to the new center than to their own."""
        close, settled = settle_nearer(
            self._features, self._norms, row, self._columns.pop(row), self._squared
        )
        nearer = settled < self._squared[close]
        self._cluster[close[nearer]] = self._n_centers
        self._squared[close[nearer]] = settled[nearer]
        self._n_centers += 1
