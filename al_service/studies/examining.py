"""Three test sets of one sky: as drawn, uniform in the target, and as declared.

The same galaxies examine in all three; the second and third count some of them more
than once and others not at all, so that every metric means what it always means.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.acquisition.interest import Interest, interest_weights
from al_service.evaluation.halves import is_calibration
from al_service.evaluation.report import evaluate
from al_service.posterior.calibration import fit_calibration
from al_service.posterior.predictions import Predictions

UNIFORM: Final = "uniform"
INTEREST: Final = "interest"

BINS: Final = 10
"""Equal steps of a target's range, each with the same say."""

RANGE: Final = (0.005, 0.995)
"""Quantiles that end the range: one galaxy at z = 2 is no range."""

MOST_REPEATS: Final = 10
"""How often one galaxy counts at most: a few of them are no tenth of a sky."""

Metrics = dict[str, dict[str, float]]


def examine(
    predictions: Predictions,
    values: NDArray[np.float64],
    group_ids: NDArray[np.str_],
    *,
    interest: Sequence[Interest] = (),
) -> tuple[Metrics, dict[str, Metrics]]:
    """All metrics on the objects that examine; half of them calibrates intervals.

    Args:
        predictions: of `N` objects.
        values: `N x T` true values, NaN where unknown.
        group_ids: `N` galaxies.
        interest: what the user declared.

    Returns:
        Target to metric to value on the objects as drawn; and the same by name of
        every further test set.
    """
    calibrates = np.array([is_calibration(galaxy) for galaxy in group_ids.tolist()])
    calibration = fit_calibration(predictions.take(calibrates), values[calibrates])
    calibrated = calibration.apply(predictions)
    drawn = evaluate(calibrated, values, reports_coverage=~calibrates)
    others: dict[str, Metrics] = {UNIFORM: {}}
    for column, target in enumerate(predictions.targets):
        rows = uniform_rows(values[:, column])
        others[UNIFORM] |= _of_target(calibrated, values, rows, ~calibrates, column)
        if interest and target in drawn:
            rows = rows_of_interest(predictions.targets, values, interest, column)
            others.setdefault(INTEREST, {})
            others[INTEREST] |= _of_target(
                calibrated, values, rows, ~calibrates, column
            )
    return drawn, others


def uniform_rows(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rows of a test set that is uniform in a target, some more than once.

    Args:
        values: `N` true values, NaN where unknown.

    Returns:
        Rows, ascending; every tenth of the target's range has as many as another,
        unless it holds too few objects.
    """
    known = np.flatnonzero(np.isfinite(values))
    if len(known) == 0:
        return known
    low, high = np.quantile(values[known], RANGE)
    inside = known[(values[known] >= low) & (values[known] <= high)]
    width = max(high - low, np.finfo(np.float64).tiny)
    place = np.minimum((BINS * (values[inside] - low) / width).astype(int), BINS - 1)
    each = max(1, len(known) // BINS)
    rows = [
        _repeated(inside[place == number], min(each, MOST_REPEATS * count))
        for number, count in enumerate(np.bincount(place, minlength=BINS).tolist())
        if count
    ]
    return np.sort(np.concatenate(rows))


def rows_of_interest(
    targets: Sequence[str],
    values: NDArray[np.float64],
    interest: Sequence[Interest],
    column: int,
) -> NDArray[np.int64]:
    """Rows of a test set that is weighed by the declared interest.

    Args:
        targets: names of the `T` targets.
        values: `N x T` true values, NaN where unknown.
        interest: what matters.
        column: of the target whose values must be known.

    Returns:
        Rows, ascending, each about as often as it matters.
    """
    known = np.flatnonzero(np.isfinite(values[:, column]))
    weights = interest_weights(
        targets,
        np.nan_to_num(values[known], nan=-np.inf),
        np.zeros((len(known), len(targets))),
        interest,
    )
    if not weights.sum() > 0:
        return known
    # Systematic sampling: one draw per equal step of the cumulative weight.
    steps = (np.arange(len(known)) + 0.5) / len(known) * weights.sum()
    drawn: NDArray[np.int64] = known[
        np.searchsorted(np.cumsum(weights), steps, side="right")
    ]
    return drawn


def _repeated(rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Rows evenly thinned or repeated to a number."""
    return rows[(np.arange(count) * len(rows)) // count]


def _of_target(
    predictions: Predictions,
    values: NDArray[np.float64],
    rows: NDArray[np.int64],
    reports_coverage: NDArray[np.bool_],
    column: int,
) -> Metrics:
    """Metrics of one target on some rows."""
    alone = np.full((len(rows), values.shape[1]), np.nan)
    alone[:, column] = values[rows, column]
    return evaluate(
        predictions.take(rows), alone, reports_coverage=reports_coverage[rows]
    )
