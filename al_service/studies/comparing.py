"""One arm against random: every metric that counts, on every test set."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from al_service.evaluation.curves import (
    area_ratio,
    error_ratio,
    label_ratio,
    win_rate,
    with_seed_interval,
    worst_round,
)
from al_service.evaluation.report import ratio_metric
from al_service.studies.campaign import Curve

DRAWN: Final = "drawn"
"""The test set as it was drawn."""

_BOOTSTRAP_SEED: Final = 0

Ratio = Callable[[NDArray[np.integer], NDArray[np.float64], NDArray[np.float64]], float]

RATIOS: Final[Mapping[str, Ratio]] = {
    "error_ratio": error_ratio,
    "area_ratio": area_ratio,
    "label_ratio": label_ratio,
    "worst_round": worst_round,
    "win_rate": win_rate,
}
"""Name to comparison; all but the win rate are better below 1."""

Json = dict[str, Any]  # Any: JSON of any depth


def metrics_of(target: str) -> tuple[str, ...]:
    """What strategies are compared by."""
    if ratio_metric(target) == "rmse_norm":
        return ("rmse_norm", "sigma_mad", "outlier_fraction", "crps")
    return ("rmse", "mae", "crps")


def compare_tests(curves: Sequence[Curve], control: Sequence[Curve]) -> Json:
    """Compare the curves of one arm with random's.

    Args:
        curves: one per seed.
        control: random's, of the same seeds.

    Returns:
        Test set to target to metric to comparison; each `{"median", "ci95"}` with the
        95 % interval by bootstrap over seeds, null where it cannot be said.
    """
    report: Json = {}
    for test, target, metric in _cells(curves[0]):
        own, random = (
            values_of(some, test, target, metric) for some in (curves, control)
        )
        report.setdefault(test, {}).setdefault(target, {})[metric] = {
            name: _compared(ratio, _labels(curves), own, random)
            for name, ratio in RATIOS.items()
        }
    return report


def values_of(
    curves: Sequence[Curve], test: str, target: str, metric: str
) -> NDArray[np.float64]:
    """`S x K` values of a metric on a test set, one row per seed."""
    return np.array(
        [
            [
                (point.metrics if test == DRAWN else point.tests[test])[target][metric]
                for point in curve.points
            ]
            for curve in curves
        ]
    )


def _compared(
    ratio: Ratio,
    n_labels: NDArray[np.integer],
    own: NDArray[np.float64],
    random: NDArray[np.float64],
) -> Json:
    """A comparison with its interval.

    Args:
        ratio: what is compared.
        n_labels: `K` numbers of labels.
        own: `S x ... x K` errors of an arm, one row per seed.
        random: the same of random.

    Returns:
        `median`, the point estimate on the seed-mean curve, and `ci95`, the 95 %
        interval by bootstrap over seeds; null where it cannot be said.
    """
    if not (np.all(own > 0) and np.all(random > 0)):
        # No outlier at all has no logarithm.
        return {"median": None, "ci95": [None, None]}
    found = with_seed_interval(ratio, n_labels, own, random, seed=_BOOTSTRAP_SEED)
    return {
        "median": _or_null(found.estimate),
        "ci95": [_or_null(found.low), _or_null(found.high)],
    }


def over_targets(curves: Sequence[Curve], control: Sequence[Curve]) -> Json:
    """The error ratios of all targets in two numbers, on the test set as drawn.

    Args:
        curves: one per seed.
        control: random's, of the same seeds.

    Returns:
        `mean_error_ratio` and `largest_error_ratio`, each as `compare_tests` has them:
        RMSE of dz/(1+z) for z, of the target for all others.
    """
    targets = list(curves[0].points[0].metrics)
    own, random = (
        np.stack(
            [values_of(some, DRAWN, one, ratio_metric(one)) for one in targets], axis=1
        )
        for some in (curves, control)
    )  # S x T x K each

    def of_all(summary: Callable[[Iterator[float]], float]) -> Ratio:
        return lambda n_labels, mine, theirs: summary(
            error_ratio(n_labels, mine[:, column], theirs[:, column])
            for column in range(len(targets))
        )

    return {
        f"{name}_error_ratio": _compared(of_all(summary), _labels(curves), own, random)
        for name, summary in (("mean", fmean), ("largest", max))
    }


def _cells(curve: Curve) -> Iterator[tuple[str, str, str]]:
    for test in (DRAWN, *curve.points[0].tests):
        for target in curve.points[0].metrics:
            for metric in metrics_of(target):
                yield test, target, metric


def _labels(curves: Sequence[Curve]) -> NDArray[np.int64]:
    return np.array([point.n_labels for point in curves[0].points])


def _or_null(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
