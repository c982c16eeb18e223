"""Core sets: always the object farthest from all centers (Sener & Savarese 2018).

It shrinks the largest hole, wherever nobody lives: the last place of a pool with junk
in it is where it goes first. It is here to be compared with.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.acquisition.distances import (
    Nearest,
    approximate_distances,
    settle_nearer,
)

LOOKAHEAD: Final = 16
"""Columns of distances computed at once: see `diversity.py`."""

SHORTLIST: Final = 256
"""Objects among which the next choices are guessed."""


class FarthestFirst:
    """The greedy walk over one set of candidates."""

    def __init__(
        self,
        features: NDArray[np.float32],
        nearest: Nearest,
        *,
        object_ids: NDArray[np.str_],
    ) -> None:
        """Start from the centers that exist.

        Args:
            features: `N x D` candidates.
            nearest: each candidate's center.
            object_ids: `N` identifiers, which break ties.
        """
        self._features = features
        self._object_ids = object_ids
        self._squared = nearest.squared.copy()
        self._norms = np.einsum("nd,nd->n", features, features)
        self._columns: dict[int, NDArray[np.float32]] = {}

    def choose(self) -> int | None:
        """The next row, or None when every candidate coincides with a center."""
        farthest = self._squared.max(initial=0.0)
        if farthest <= 0.0:
            return None
        rows = np.flatnonzero(self._squared == farthest)
        row = int(rows[np.argsort(self._object_ids[rows], kind="stable")[0]])
        if row not in self._columns:
            self._look_ahead(row)
        self._add_center(row)
        return row

    def retire(self, rows: NDArray[np.int64]) -> None:
        """Take rows out of the walk."""
        self._squared[rows] = 0.0

    def _look_ahead(self, row: int) -> None:
        """Distances to this row and to those that the same rule takes among few."""
        if len(self._squared) > SHORTLIST:
            top = np.argpartition(-self._squared, SHORTLIST - 1)[:SHORTLIST]
        else:
            top = np.arange(len(self._squared))
        rows = np.concatenate([[row], np.sort(top[top != row])]).astype(np.int64)
        among = self._features[rows]
        norms = self._norms[rows]
        between = norms[:, None] + norms - 2.0 * (among @ among.T)
        squared, picks = self._squared[rows], [0]
        while len(picks) < min(LOOKAHEAD, len(rows)):
            squared = np.minimum(squared, between[picks[-1]])
            squared[picks[-1]] = 0.0
            picks.append(int(squared.argmax()))
        guesses = np.unique(rows[picks])
        products = approximate_distances(self._features, self._norms, guesses)
        self._columns = dict(zip(guesses.tolist(), products, strict=True))

    def _add_center(self, row: int) -> None:
        """Objects nearer to the new center than to their own have a new distance."""
        close, settled = settle_nearer(
            self._features, self._norms, row, self._columns.pop(row), self._squared
        )
        self._squared[close] = np.minimum(self._squared[close], settled)
        self._squared[row] = 0.0
