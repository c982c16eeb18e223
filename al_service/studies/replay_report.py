"""The result of a replay as JSON: curves, and ratios to random with intervals."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from al_service.evaluation.report import ratio_metric
from al_service.studies.arms import CONTROL
from al_service.studies.campaign import Curve
from al_service.studies.comparing import DRAWN, compare_tests, over_targets
from al_service.studies.settings import ReplaySettings

Json = dict[str, Any]  # Any: JSON of any depth


def replay_report(settings: ReplaySettings, curves: Sequence[Curve]) -> Json:
    """Put a replay into the form of `al replay --json`.

    Args:
        settings: of the replay.
        curves: one per strategy and seed.

    Returns:
        `settings` and `strategies`; in it per strategy the curves, and per target the
        ratios to random: `median` is the point estimate on the seed-mean curve, null
        where random's final error is not reached. `all_targets` has the mean and the
        largest of their error ratios, `tests` more metrics on more test sets.
        `spoiled_labels`, where anything was spoiled, has how many of the labels asked
        for were, a mean over the seeds.
    """
    by_arm = {
        arm: [curve for curve in curves if curve.arm == arm] for arm in settings.arms
    }
    described = settings.model_dump(
        mode="json", exclude={"strategies", "test_size", "processes"}
    )
    described["strategies"] = {
        arm: settings.arm(arm).as_json() for arm in settings.arms
    }
    described["n_test"] = [curve.n_test for curve in by_arm[CONTROL]]
    strategies = {arm: _arm_report(own, by_arm[CONTROL]) for arm, own in by_arm.items()}
    if settings.spoiled:
        for arm, own in by_arm.items():
            strategies[arm]["spoiled_labels"] = _spoiled_labels(own)
    return {"settings": described, "strategies": strategies}


def _arm_report(curves: Sequence[Curve], control: Sequence[Curve]) -> Json:
    tests = compare_tests(curves, control)
    return {
        "curves": [
            {
                "seed": curve.seed,
                "points": [
                    {
                        "n_labels": point.n_labels,
                        "metrics": _finite(point.metrics),
                        "tests": {
                            name: _finite(test) for name, test in point.tests.items()
                        },
                    }
                    for point in curve.points
                ],
            }
            for curve in curves
        ],
        "rmse_ratio": _headline(tests, "error_ratio"),
        "label_ratio": _headline(tests, "label_ratio"),
        "all_targets": over_targets(curves, control),
        "tests": tests,
        "select_seconds": float(np.mean([curve.select_seconds for curve in curves])),
    }


def _spoiled_labels(curves: Sequence[Curve]) -> dict[str, float]:
    return {
        "wrong_labels": float(np.mean([curve.wrong_labels for curve in curves])),
        "junk": float(np.mean([curve.junk for curve in curves])),
    }


def _headline(tests: Json, name: str) -> Json:
    """One comparison of every target, on the test set as drawn."""
    return {
        target: metrics[ratio_metric(target)][name]
        for target, metrics in tests[DRAWN].items()
    }


def _finite(metrics: dict[str, dict[str, float]]) -> Json:
    return {
        target: {name: _or_null(value) for name, value in values.items()}
        for target, values in metrics.items()
    }


def _or_null(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
