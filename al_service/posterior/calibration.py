"""Intervals that cover what they promise, learned from labels that trained nothing.

Split conformal prediction per modality pattern, target and level (Lei et al. 2018).
Only labels of a random sample will do: labels that a strategy chose are not
exchangeable with those of the pool.
"""

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.posterior.predictions import (
    GAUSSIAN_WIDTHS,
    LEVELS,
    IntervalWidths,
    Predictions,
)

CONFORMAL_FROM: Final = 200
"""With fewer labels the 95 % quantile rests on less than ten of them: one factor on
the standard deviation, estimated from all, is steadier."""

SCALING_FROM: Final = 20
"""With fewer labels even one factor is uncertain by more than 15 %: intervals stay as
they are and say that they are not calibrated."""

MISTAKE: Final = 15.0
"""Times the median beyond which a label or a redshift scan is wrong, ten standard
deviations: one of them among few labels must not widen all intervals a hundredfold."""


@dataclass(frozen=True)
class Calibration:
    """Interval widths per pattern and target."""

    targets: tuple[str, ...]
    widths: IntervalWidths

    def apply(self, predictions: Predictions) -> Predictions:
        """The same predictions with calibrated intervals, where that was possible."""
        if predictions.targets != self.targets:
            raise ValueError(
                f"predictions: expected targets {self.targets}, "
                f"found {predictions.targets}"
            )
        return replace(predictions, calibration=self.widths)


def fit_calibration(
    predictions: Predictions,
    values: NDArray[np.float64],
    patterns: NDArray[np.int64] | None = None,
) -> Calibration:
    """Learn interval widths from labels of a random sample.

    Args:
        predictions: of `N` objects that trained nothing.
        values: `N x T` labels in the targets' units, NaN where unknown.
        patterns: `N` modality patterns; default: those of the predictions.
    """
    patterns = predictions.patterns if patterns is None else patterns
    scores = np.abs(predictions.scores(values))
    known = np.unique(patterns)
    widths = np.full((len(known), len(predictions.targets), len(LEVELS)), np.nan)
    for row, pattern in enumerate(known):
        for column in range(len(predictions.targets)):
            some = scores[patterns == pattern, column]
            widths[row, column] = _widths(some[np.isfinite(some)])
    return Calibration(predictions.targets, IntervalWidths(known, widths))


def _widths(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Half widths for every level from `n` absolute scores."""
    n = len(scores)
    if n < SCALING_FROM:
        return np.full(len(LEVELS), np.nan)
    if n < CONFORMAL_FROM:
        likely = np.minimum(scores, MISTAKE * float(np.median(scores)))
        return GAUSSIAN_WIDTHS * math.sqrt(float(np.mean(likely**2)))
    ordered = np.sort(scores)
    # The k-th smallest of n covers a new score with probability k / (n + 1).
    places = [min(n, math.ceil((n + 1) * level / 100.0)) - 1 for level in LEVELS]
    return ordered[places]
