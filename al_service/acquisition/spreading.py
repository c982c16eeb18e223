"""k-means++ where the posterior is wide: batches in the manner of BADGE (Ash 2020).

Features are mapped by the root of the posterior covariance, so that a squared length is
epistemic variance over noise and what labels have settled lies at zero. Each choice is
drawn with probability proportional to the squared distance to zero or to the choices
before it, whichever is nearer: uncertain objects, unlike each other.

The draw is by rejection: proposals come from distances that are a few choices old, and
one whose distance has shrunk since is refused with the probability that it has shrunk
by. That is the same distribution, and one product of all features serves many choices.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from al_service.acquisition.distances import (
    approximate_distances,
    settle_nearer,
    squared_distances,
)
from al_service.acquisition.information import Floats

PROPOSALS: Final = 32
"""Drawn from one set of distances; about half of them are refused."""

_CHUNK: Final = 8192


def posterior_scaled(
    points: NDArray[np.float32], covariance: Floats
) -> NDArray[np.float32]:
    """`N x D` unit-noise candidates as seen by the posterior: |y|² = xᵀΣx."""
    scaled = np.empty_like(points)
    with threadpool_limits(1, user_api="blas"):  # draws hang on every bit
        values, vectors = np.linalg.eigh(covariance)
        root = (vectors * np.sqrt(np.maximum(values, 0.0))).astype(np.float32)
        for start in range(0, len(points), _CHUNK):
            rows = slice(start, start + _CHUNK)
            scaled[rows] = points[rows] @ root
    return scaled


class Spreading:
    """k-means++ over one set of candidates."""

    def __init__(
        self,
        points: NDArray[np.float32],
        *,
        object_ids: NDArray[np.str_],
        seed: int,
    ) -> None:
        """Start with nothing chosen.

        Args:
            points: `N x D` posterior-scaled candidates.
            object_ids: `N` identifiers: draws go by their order, not by that in which
                a database lists objects.
            seed: of the draws.
        """
        self._by_name = np.argsort(object_ids, kind="stable")
        self._place = np.argsort(self._by_name, kind="stable")
        points = points[self._by_name]
        self._points = points
        self._norms = np.einsum("nd,nd->n", points, points)
        self._generator = np.random.default_rng(seed)
        self._squared = squared_distances(
            points,
            np.zeros((1, points.shape[1]), dtype=np.float32),
            np.zeros(len(points), dtype=np.int64),
        )
        self._proposed: list[tuple[int, float]] = []
        self._base = self._squared
        self._recent: list[int] = []

    def choose(self) -> int | None:
        """The next row, or None when nothing is uncertain any more."""
        while True:
            if not self._proposed and not self._propose():
                return None
            row, dart = self._proposed.pop()
            if dart * self._base[row] < self._distance(row):
                self._recent.append(row)
                return int(self._by_name[row])

    def retire(self, rows: NDArray[np.int64]) -> None:
        """Take rows out of the walk."""
        self._squared[self._place[rows]] = 0.0

    def _distance(self, row: int) -> float:
        """The squared distance of one object to zero and to all choices."""
        known = float(self._squared[row])
        if not self._recent or known == 0.0:
            return known
        here = np.zeros(len(self._recent), dtype=np.int64)
        squared = squared_distances(
            self._points[self._recent], self._points[row][None], here
        )
        return min(known, float(squared.min()))

    def _propose(self) -> bool:
        """Draw proposals from up-to-date distances; False where all are zero."""
        self._take_in()
        self._base = self._squared.copy()
        cumulative = np.cumsum(self._base)
        if len(cumulative) == 0 or cumulative[-1] <= 0.0:
            return False
        darts = self._generator.random((PROPOSALS, 2))
        places = np.searchsorted(cumulative, darts[:, 0] * cumulative[-1], side="right")
        self._proposed = list(zip(places.tolist(), darts[:, 1].tolist(), strict=True))
        self._proposed.reverse()
        return True

    def _take_in(self) -> None:
        """Shorten all distances by the choices since the last proposals."""
        if not self._recent:
            return
        chosen = np.asarray(self._recent, dtype=np.int64)
        products = approximate_distances(self._points, self._norms, chosen)
        for row, approximate in zip(self._recent, products, strict=True):
            close, settled = settle_nearer(
                self._points, self._norms, row, approximate, self._squared
            )
            self._squared[close] = np.minimum(self._squared[close], settled)
            self._squared[row] = 0.0
        self._recent = []
