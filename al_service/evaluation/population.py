"""The error on the whole pool, from all labels, whoever asked for them.

Labels that a strategy asked for are no sample of the pool: their mean error says how
hard the objects are that it likes. What is known of a label is how its object came to
be handed out, given everything before:

* a random slot takes the smallest random key that is left: each of the N free objects
  with the same probability 1/N;
* a slot of the strategy takes the first of its order: that object and no other one.

A random draw therefore stands for all objects that were free at its moment, and every
label before it counts as itself (Des Raj 1956; for active learning Farquhar et al.
2021):

    T = (Σ_told L + Σ_free g + N (L_drawn - g_drawn)) / (n_told + N)

has the pool's mean loss as its expectation, whatever the strategy has looked at, and
for every g that was settled before the draw (the difference estimator of Särndal et al.
1992). Here g is the loss that the model itself expects, times what all labels before
have said of such expectations: there the strategy's labels help. Draws are uncorrelated
given what was before them, so that their scatter says how sure their mean is.

Losses are those of the predictions with which objects were handed out: no model had
seen the labels.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from al_service.errors import InvalidInput
from al_service.evaluation.bootstrap import Interval

Floats = NDArray[np.float64]

FEWEST_DRAWS: Final = 20
"""With fewer random draws their scatter itself is known to a sixth at best."""

TRUST: Final = 50.0
"""Labels that would outweigh the model's own word about its errors."""

LARGEST: Final = 9.0
"""Times its expectation that a loss counts as when expectations are corrected, three
standard deviations: one wrong label must not raise them all."""


@dataclass(frozen=True)
class HandOuts:
    """`M` objects in the order of their hand-out, by `R` orders that were walked."""

    loss: Floats
    """`M` losses of the predictions of that moment; NaN without an answer."""
    expected: Floats
    """`M` losses that the model expected, same unit, at least 0; NaN where it said
    nothing."""
    drawn: NDArray[np.bool_]
    """`M` flags: by a random slot; others are the strategy's."""
    order: NDArray[np.int64]
    """`M` which order was walked, from 0."""
    n_free: NDArray[np.int64]
    """`R` objects that were free when the order was made."""
    mean_expected: Floats
    """`R` mean loss that the model expected of those."""

    def __post_init__(self) -> None:
        """Refuse columns that do not belong together."""
        lengths = {len(self.loss), len(self.expected), len(self.drawn), len(self.order)}
        n_orders = len(self.n_free)
        if len(lengths) > 1 or len(self.mean_expected) != n_orders:
            raise InvalidInput(
                "expected a loss, an expectation, a flag and an order per hand-out and "
                f"two facts per order, got lengths {sorted(lengths)} for hand-outs, "
                f"{n_orders} and {len(self.mean_expected)} for orders"
            )
        if self.order.max(initial=-1) >= n_orders or self.order.min(initial=0) < 0:
            raise InvalidInput(
                f"expected numbers of orders from 0 to {n_orders - 1}, got "
                f"{self.order.min(initial=0)} to {self.order.max(initial=-1)}"
            )

    @property
    def answered(self) -> NDArray[np.bool_]:
        """`M` flags: a label came, and there was a prediction to compare it with."""
        return np.isfinite(self.loss) & np.isfinite(self.expected)


@dataclass(frozen=True)
class PopulationLoss:
    """The mean loss on the pool, of the models that served when draws were made."""

    loss: Interval
    """The estimate with its 95 % interval."""
    n_draws: int
    """Random draws with an answer."""
    n_labels: int
    """Answers of all kinds."""


def population_loss(handed: HandOuts) -> PopulationLoss | None:
    """The pool's mean loss with its 95 % interval.

    The estimate is unbiased. The interval is Student's on the logarithm: losses are
    positive and have a long tail to one side. In simulations it held the truth in 89 to
    94 % of cases, less where draws are few or tails long.

    Args:
        handed: what was handed out, and what came back.

    Returns:
        None for fewer than `FEWEST_DRAWS` random draws, or where they leave no
        positive estimate.
    """
    estimates = draw_estimates(handed)
    count = len(estimates)
    mean = float(estimates.mean()) if count else 0.0
    if count < FEWEST_DRAWS or mean <= 0.0:
        return None
    deviation = float(estimates.std(ddof=1)) / math.sqrt(count)
    reach = float(stdtrit(count - 1, 0.975)) * deviation / mean
    interval = Interval(mean, mean * math.exp(-reach), mean * math.exp(reach))
    return PopulationLoss(interval, count, int(handed.answered.sum()))


def draw_estimates(handed: HandOuts) -> Floats:
    """What every random draw with an answer says of the pool's mean loss.

    Args:
        handed: what was handed out, and what came back.

    Returns:
        `K` estimates, each unbiased, uncorrelated with each other.
    """
    corrections = _corrections(handed)
    found = [np.empty(0)]
    for number in range(len(handed.n_free)):
        rows = np.flatnonzero(handed.order == number)
        found.append(_estimates_of_order(handed, number, rows, corrections[rows]))
    return np.concatenate(found)


def _corrections(handed: HandOuts) -> Floats:
    """`M` factors on expectations, from the labels before each hand-out alone."""
    answered = handed.answered
    expected = np.where(answered, handed.expected, 0.0)
    loss = np.minimum(np.where(answered, handed.loss, 0.0), LARGEST * expected)
    start = TRUST * float(handed.mean_expected[0]) if len(handed.mean_expected) else 0.0
    before_loss = np.cumsum(loss) - loss + start
    before_expected = np.cumsum(expected) - expected + start
    safe = np.where(before_expected > 0.0, before_expected, 1.0)
    return np.where(before_expected > 0.0, before_loss / safe, 0.0)


def _estimates_of_order(
    handed: HandOuts, number: int, rows: NDArray[np.int64], correction: Floats
) -> Floats:
    """T of every answered random draw while one order was walked."""
    answered = handed.answered[rows]
    loss = np.where(answered, handed.loss[rows], 0.0)
    n_free, mean = int(handed.n_free[number]), float(handed.mean_expected[number])
    expected = np.where(np.isfinite(handed.expected[rows]), handed.expected[rows], mean)
    left = n_free - np.arange(len(rows))  # free at that moment, the draw included
    told: NDArray[np.int64] = np.cumsum(answered) - answered
    told_loss = np.cumsum(loss) - loss
    rest = n_free * mean - (np.cumsum(expected) - expected)
    total = told_loss + correction * rest + left * (loss - correction * expected)
    counts = answered & handed.drawn[rows] & (left > 0)
    return total[counts] / (told + left)[counts]
