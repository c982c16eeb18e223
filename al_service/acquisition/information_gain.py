"""Batches by what their labels change in the posterior: MaxDet and BAIT.

Both are greedy. `max_det` takes the object whose label would say most about all weights
given the batch so far (batch information gain; Holzmüller et al. 2023), `bait` the one
whose label lowers the mean epistemic variance over the pool most (Ash et al. 2021, the
forward half). No label is needed for that: Σ follows from where the labels are.

With x scaled to unit noise, v = xᵀΣx and q = xᵀΣFΣx, choosing x* changes

    Σ  → Σ − ccᵀ/d          c = Σx*,   d = 1 + v*
    v  → v − k²/d           k = xᵀc
    q  → q − 2kl/d + k²q*/d²    l = xᵀΣFΣx*

so that a choice costs two products of all features with a vector, O(ND).
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.acquisition.guessing import guess_choices
from al_service.acquisition.quadratic import (
    ROUNDING,
    one_blas_thread,
    quadratic,
    squares,
)

Floats = NDArray[np.float64]

BLOCK: Final = 16
"""Choices guessed at a time. One product with a vector is bound by reading all features
from memory; sixteen pairs at once cost little more than one."""

SHORTLIST: Final = 256
"""Objects among which the next choices are guessed by the same greedy rule."""

FEW: Final = 8
"""Close calls that are summed in a fixed order at once; of more, a fast product in
float64 first leaves those that agree to `SETTLED`."""

SETTLED: Final = 1e-10
"""Relative difference of two float64 scores that no order of summation turns round."""


@dataclass(frozen=True)
class Guess:
    """A choice worked out in advance, right if all choices before it are right."""

    row: int
    direction: Floats
    """`D`, c."""
    aim: Floats
    """`D`, ΣFΣx*; zeros without an aim."""
    gain: float
    """d."""
    reach: float
    """q*."""
    products: NDArray[np.float32]
    """`N`, k."""
    aim_products: NDArray[np.float32]
    """`N`, l."""


class GreedyGain:
    """The greedy walk over one set of candidates."""

    def __init__(
        self,
        points: NDArray[np.float32],
        covariance: Floats,
        *,
        object_ids: NDArray[np.str_],
        moment: Floats | None = None,
    ) -> None:
        """Start from what is known.

        Args:
            points: `N x D` candidates, unit noise.
            covariance: `D x D` of the weights, pending labels included.
            object_ids: `N` identifiers, which break ties.
            moment: `D x D` matrix F of the objects that matter (BAIT); without it the
                choice is by v alone (MaxDet).
        """
        self._points = points
        self._object_ids = object_ids
        self._covariance = covariance.copy()
        self._free = np.ones(len(points), dtype=np.bool_)
        self._norms = np.sqrt(np.einsum("nd,nd->n", points, points, dtype=np.float64))
        self._queue: deque[Guess] = deque()
        self._pending: list[Guess] = []  # chosen, but not in the matrices yet
        self._variance, self._variance_slack = quadratic(points, covariance)
        self._aim = None if moment is None else aim_under(covariance, moment)
        self._reach = np.zeros(len(points))
        self._reach_slack = np.zeros(len(points))
        self._look_at_aim()

    def choose(self) -> int | None:
        """The next row, or None when no label would change anything."""
        row = self._best()
        if row is None:
            return None
        if not self._queue or self._queue[0].row != row:
            self._look_ahead(row)
        self._commit(self._queue.popleft())
        return row

    def retire(self, rows: NDArray[np.int64]) -> None:
        """Take rows out of the walk."""
        self._free[rows] = False

    def _look_at_aim(self) -> None:
        """Compute q of all candidates from ΣFΣ."""
        if self._aim is not None:
            self._reach, self._reach_slack = quadratic(self._points, self._aim)

    def _best(self) -> int | None:
        """The row of the highest score, settled in float64, ties by object id."""
        low, high = self._bounds()
        low[~self._free] = -np.inf
        high[~self._free] = -np.inf
        best = low.max(initial=-np.inf)
        if not high.max(initial=-np.inf) > 0.0:
            return None
        close = np.flatnonzero(high >= max(best, 0.0))
        if len(close) > FEW:
            scores = self._scores(close, fixed_order=False)
            most = scores.max()  # may be below 0 by rounding
            close = close[scores >= most - SETTLED * abs(most)]
        if len(close) == 1:
            return int(close[0])
        scores = self._scores(close, fixed_order=True)
        winners = close[scores == scores.max()]
        return int(winners[np.argsort(self._object_ids[winners], kind="stable")[0]])

    def _bounds(self) -> tuple[Floats, Floats]:
        """Lower and upper bounds of all scores."""
        if self._aim is None:
            return (
                self._variance - self._variance_slack,
                self._variance + self._variance_slack,
            )
        total = 1.0 + self._variance
        score = self._reach / total
        slack = (self._reach_slack + score * self._variance_slack) / total
        return score - slack, score + slack

    def _scores(self, rows: NDArray[np.int64], *, fixed_order: bool) -> Floats:
        """Scores of some rows in float64, summed in a fixed order or fast."""
        points = self._points[rows].astype(np.float64)
        variance = squares(points, self._covariance, fixed_order=fixed_order)
        reach = variance
        if self._aim is not None:
            reach = squares(points, self._aim, fixed_order=fixed_order)
        for guess in self._pending:
            products = np.einsum("ld,d->l", points, guess.direction)
            share = products / guess.gain
            variance = variance - share * products
            if self._aim is not None:
                seen = np.einsum("ld,d->l", points, guess.aim)
                reach = reach - share * (2.0 * seen - share * guess.reach)
        return variance if self._aim is None else reach / (1.0 + variance)

    def _settle(self) -> None:
        """Bring the choices since the last time into Σ and ΣFΣ, all at once."""
        if not self._pending:
            return
        directions = np.stack([guess.direction for guess in self._pending], axis=1)
        shares = directions / np.array([guess.gain for guess in self._pending])
        with one_blas_thread():  # the posterior hangs on every bit
            self._covariance -= shares @ directions.T
            if self._aim is not None:
                seen = np.stack([guess.aim for guess in self._pending], axis=1)
                both = shares @ seen.T
                reaches = np.array([guess.reach for guess in self._pending])
                self._aim = self._aim - (both + both.T)
                self._aim += (shares * reaches) @ shares.T
        self._pending = []

    def _look_ahead(self, row: int) -> None:
        """Guess this choice and the ones after it; one product serves all."""
        self._settle()
        rows = self._shortlist(row)
        with one_blas_thread():  # the posterior hangs on every bit
            guesses = guess_choices(
                self._points[rows].astype(np.float64),
                self._covariance,
                self._aim,
                count=min(BLOCK, len(rows)),
            )
        directions = np.stack([guess.direction for guess in guesses], axis=1)
        sides = directions
        if self._aim is not None:
            aims = np.stack([guess.aim for guess in guesses], axis=1)
            sides = np.concatenate([directions, aims], axis=1)
        products = sides.T.astype(np.float32) @ self._points.T
        nothing = np.zeros(0, dtype=np.float32)
        self._queue = deque(
            Guess(
                int(rows[guess.place]),
                guess.direction,
                guess.aim,
                guess.gain,
                guess.reach,
                products[number],
                nothing if self._aim is None else products[len(guesses) + number],
            )
            for number, guess in enumerate(guesses)
        )

    def _shortlist(self, first: int) -> NDArray[np.int64]:
        """The first choice, then the highest scores beside it."""
        _, score = self._bounds()
        score[~self._free] = -np.inf
        score[first] = np.inf
        if len(score) > SHORTLIST:
            top = np.argpartition(-score, SHORTLIST - 1)[:SHORTLIST]
        else:
            top = np.arange(len(score))
        top = top[self._free[top] & (top != first)]
        return np.concatenate([[first], np.sort(top)]).astype(np.int64)

    def _commit(self, guess: Guess) -> None:
        """The posterior with one label more, and what is left for all others."""
        gain, direction = guess.gain, guess.direction
        products = guess.products.astype(np.float64)
        share = products / gain
        error = ROUNDING * float(np.linalg.norm(direction)) * self._norms
        if self._aim is not None:
            aim_products = guess.aim_products.astype(np.float64)
            ratio = guess.reach / gain
            self._reach -= share * (2.0 * aim_products - products * ratio)
            aim_error = ROUNDING * float(np.linalg.norm(guess.aim)) * self._norms
            self._reach_slack += 2.0 * np.abs(share) * (aim_error + error * ratio)
            self._reach_slack += 2.0 * np.abs(aim_products) * error / gain
        self._variance -= share * products
        self._variance_slack += 2.0 * np.abs(share) * error
        self._pending.append(guess)
        self._free[guess.row] = False


def aim_under(covariance: Floats, moment: Floats) -> Floats:
    """ΣFΣ, `D x D`, the same bits with any number of threads."""
    with one_blas_thread():
        aim: Floats = covariance @ moment @ covariance
    return aim
