import math

import numpy as np
import pytest
from numpy.typing import NDArray

from al_service.evaluation.intervals import metric_intervals
from al_service.evaluation.report import evaluate, ratio_metric
from al_service.posterior.predictions import Predictions

NAMES = {"rmse", "mae", "r2", "bias", "crps", "nll", "coverage68", "coverage95"}
REDSHIFT_NAMES = NAMES | {"rmse_norm", "sigma_mad", "outlier_fraction"}
N_OBJECTS = 3000


def honest() -> tuple[Predictions, NDArray[np.float64]]:
    """Predictions whose truth is drawn from them."""
    generator = np.random.default_rng(0)
    center = generator.normal([0.1, 0.5], [0.03, 0.5], size=(N_OBJECTS, 2))
    spread = np.full((N_OBJECTS, 2), [0.02, 0.3])
    own = generator.normal(center, np.hypot(spread, 0.5 * spread))
    values = np.stack([np.expm1(own[:, 0]), own[:, 1]], axis=1)
    predictions = Predictions(
        targets=("z", "sfr_median"),
        patterns=np.ones(N_OBJECTS, dtype=np.int64),
        center=center,
        epistemic_spread=0.5 * spread,
        aleatoric_spread=spread,
    )
    return predictions, values


def test_every_target_has_the_metrics_that_the_service_promises() -> None:
    report = evaluate(*honest())

    assert set(report["z"]) == REDSHIFT_NAMES
    assert set(report["sfr_median"]) == NAMES


def test_honest_predictions_cover_what_they_promise() -> None:
    report = evaluate(*honest())

    for target in report:
        assert report[target]["coverage68"] == pytest.approx(0.68, abs=0.03)
        assert report[target]["coverage95"] == pytest.approx(0.95, abs=0.015)


def test_a_missing_label_does_not_enter() -> None:
    predictions, values = honest()
    values[1000:, 0] = np.nan
    values[:, 1] = np.nan

    report = evaluate(predictions, values)

    assert set(report) == {"z"}
    first = evaluate(predictions.take(slice(0, 1000)), values[:1000])
    assert report["z"] == pytest.approx(first["z"])


def test_only_objects_that_did_not_calibrate_report_coverage() -> None:
    predictions, values = honest()
    values[:1500, 1] = 100.0  # far outside every interval
    calibrated = np.arange(N_OBJECTS) < 1500

    report = evaluate(predictions, values, reports_coverage=~calibrated)

    assert report["sfr_median"]["coverage95"] == pytest.approx(0.95, abs=0.02)
    assert report["sfr_median"]["rmse"] > 50


def test_intervals_surround_the_estimates_of_the_report() -> None:
    predictions, values = honest()
    groups = np.array([f"galaxy {number}" for number in range(N_OBJECTS)])

    intervals = metric_intervals(predictions, values, groups, seed=0, draws=100)

    report = evaluate(predictions, values)
    assert set(intervals["z"]) == REDSHIFT_NAMES
    for target, metrics in report.items():
        for name, value in metrics.items():
            interval = intervals[target][name]
            assert interval.estimate == value
            assert interval.low < value < interval.high


def test_a_metric_that_is_not_defined_has_no_interval() -> None:
    predictions, _ = honest()
    few = predictions.take(slice(0, 3))
    same = np.full((3, 2), [0.1, np.nan])

    intervals = metric_intervals(few, same, np.array(["a", "b", "c"]), seed=0)

    assert math.isnan(intervals["z"]["r2"].low)
    assert not math.isnan(intervals["z"]["rmse"].low)


def test_ratios_compare_redshifts_by_dz_over_one_plus_z() -> None:
    assert ratio_metric("z") == "rmse_norm"
    assert ratio_metric("sfr_avg") == "rmse"


def test_values_of_other_objects_are_refused() -> None:
    predictions, values = honest()

    with pytest.raises(ValueError, match="shape"):
        evaluate(predictions, values[:5])
