"""Batches that teach what will be asked: expected predictive information gain (EPIG).

A label at x says −½ log(1 − ρ²) nats about a label at x*, with

    ρ² = (xᵀΣx*)² / ((1 + xᵀΣx)(1 + x*ᵀΣx*)),    x and x* scaled to unit noise,

and the score of x is the mean over objects x* that matter, weighed by the declared
interest (Bickford Smith et al. 2023). The logarithm is costly for all candidates, but
−log(1 − u) lies between u and u·g, g = −log(1 − c)/c, for 0 ≤ u ≤ c, and the mean of ρ²
is the score of BAIT with F = Σ w x*x*ᵀ/(1 + x*ᵀΣx*). That bounds every score; only the
candidates whose bounds reach the best one are computed exactly.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.acquisition.information import aim_moment
from al_service.acquisition.information_gain import GreedyGain, Guess, aim_under
from al_service.acquisition.quadratic import product, squares

Floats = NDArray[np.float64]

DRIFT: Final = 1.01
"""F is computed anew when some 1 + x*ᵀΣx* has shrunk by more than this factor."""

_ROWS: Final = 1024
"""Candidates computed exactly at a time: their products with all aims stay in cache."""

_TINY: Final = 1e-12
"""Stands for a variance of 0 in a quotient whose limit there is 1."""


class GreedyPrediction(GreedyGain):
    """The greedy walk by EPIG over one set of candidates."""

    def __init__(
        self,
        points: NDArray[np.float32],
        covariance: Floats,
        *,
        object_ids: NDArray[np.str_],
        aims: NDArray[np.float32],
        weights: Floats,
    ) -> None:
        """Start from what is known.

        Args:
            points: `N x D` candidates, unit noise.
            covariance: `D x D` of the weights, pending labels included.
            object_ids: `N` identifiers, which break ties.
            aims: `K x D` objects that matter, unit noise.
            weights: `K` their interest, at least 0.
        """
        self._aims = aims.astype(np.float64)
        self._weights = weights / weights.sum()
        self._seen = product(covariance, self._aims.T, fixed_order=True)
        self._totals = 1.0 + np.einsum("kd,dk->k", self._aims, self._seen)
        self._weighed = self._totals.copy()
        super().__init__(
            points, covariance, object_ids=object_ids, moment=self._moment()
        )

    def _bounds(self) -> tuple[Floats, Floats]:
        if self._drift() > DRIFT:
            self._weighed = self._totals.copy()
            self._aim = aim_under(self._covariance, self._moment())
            self._queue.clear()
            self._look_at_aim()
        low, high = super()._bounds()
        # ρ² is at most the product of the shares that the weights have in both labels.
        variance = np.maximum(self._variance + self._variance_slack, 0.0)
        most = variance / (1.0 + variance) * float((1.0 - 1.0 / self._totals).max())
        excess = np.where(most > 0.0, -np.log1p(-most) / np.maximum(most, _TINY), 1.0)
        return 0.5 * low, 0.5 * high * self._drift() * excess

    def _scores(self, rows: NDArray[np.int64], *, fixed_order: bool) -> Floats:
        scores = np.empty(len(rows))
        for start in range(0, len(rows), _ROWS):
            part = slice(start, start + _ROWS)
            points = self._points[rows[part]].astype(np.float64)
            variance = squares(points, self._covariance, fixed_order=fixed_order)
            shared = product(points, self._seen, fixed_order=fixed_order) ** 2
            shared /= (1.0 + variance)[:, None] * self._totals
            scores[part] = np.einsum("nk,k->n", -0.5 * np.log1p(-shared), self._weights)
        return scores

    def _commit(self, guess: Guess) -> None:
        products = np.einsum("kd,d->k", self._aims, guess.direction)
        self._seen -= np.outer(guess.direction, products) / guess.gain
        self._totals -= products**2 / guess.gain
        super()._commit(guess)
        self._settle()  # thousands of scores are computed under Σ after every choice

    def _drift(self) -> float:
        """By how much the variance of an aim has shrunk at most since F was made."""
        return float((self._weighed / self._totals).max())

    def _moment(self) -> Floats:
        """F = Σ w x*x*ᵀ/(1 + x*ᵀΣx*)."""
        weights = self._weights / self._weighed
        return aim_moment(self._aims, weights) * float(weights.sum())
