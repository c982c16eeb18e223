"""Distributions of redshifts and star-formation rates."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.stats import norm

from al_service.posterior.predictions import IntervalWidths, Predictions

Floats = NDArray[np.float64]
TARGETS = ("z", "sfr_median")


def predictions() -> Predictions:
    return Predictions(
        TARGETS,
        patterns=np.array([1, 1, 5]),
        center=np.array([[0.1, -0.5], [0.5, 0.0], [0.9, 1.0]]),
        epistemic_spread=np.full((3, 2), 0.03),
        aleatoric_spread=np.full((3, 2), 0.04),
    )


def density(column: int, row: int, value: float) -> float:
    """Density in the target's unit, written down independently."""
    some = predictions()
    if TARGETS[column] == "z":
        own = np.log1p(value)
        return float(norm.pdf(own, some.center[row, column], 0.05)) / (1.0 + value)
    return float(norm.pdf(value, some.center[row, column], 0.05))


def label(z: float, sfr: float) -> Floats:
    return np.tile([[z, sfr]], (3, 1))


def test_z_is_back_from_its_logarithm_and_spreads_follow() -> None:
    some = predictions()
    np.testing.assert_allclose(some.mean[:, 0], np.expm1(some.center[:, 0]))
    np.testing.assert_allclose(some.epistemic[:, 0], 0.03 * (1 + some.mean[:, 0]))
    np.testing.assert_allclose(some.aleatoric[:, 1], 0.04)


@pytest.mark.parametrize("column", [0, 1])
def test_the_interval_holds_its_probability(column: int) -> None:
    low, high = predictions().interval(90)
    mass, _ = quad(
        lambda value: density(column, 1, value), low[1, column], high[1, column]
    )
    assert mass == pytest.approx(0.90, abs=1e-6)


@pytest.mark.parametrize("truth", [0.05, 0.66, 1.4])
def test_crps_is_its_integral(truth: float) -> None:
    some = predictions()
    for column in (0, 1):
        for row in range(3):
            center = some.center[row, column]

            def squared(
                value: float, column: int = column, at: float = center
            ) -> float:
                own = np.log1p(value) if column == 0 else value
                step = float(value >= truth)
                return float((norm.cdf(own, at, 0.05) - step) ** 2)

            edges = [truth, float(some.mean[row, column])]
            exact, _ = quad(squared, -0.9, 4.0, points=edges, limit=400)
            crps = some.crps(label(truth, truth))[row, column]
            assert crps == pytest.approx(exact, rel=1e-5)


def test_the_log_density_is_that_of_the_targets_unit() -> None:
    truth = 0.4
    nll = predictions().nll(label(truth, truth))
    for column in (0, 1):
        assert nll[1, column] == pytest.approx(-np.log(density(column, 1, truth)))


def test_an_unknown_label_has_no_score() -> None:
    some = predictions()
    unknown = label(np.nan, 0.3)
    for scores in (some.crps(unknown), some.nll(unknown), some.pit(unknown)):
        assert np.isnan(scores[:, 0]).all()
        assert np.isfinite(scores[:, 1]).all()


def test_calibrated_widths_apply_to_their_pattern_only() -> None:
    widths = IntervalWidths(np.array([1]), np.full((1, 2, 3), 3.0))
    some = predictions()
    calibrated = Predictions(**{**vars(some), "calibration": widths})
    assert calibrated.calibrated[:, 0].tolist() == [True, True, False]
    assert not some.calibrated.any()
    low, high = calibrated.interval(68)
    np.testing.assert_allclose((high - low)[:2, 1], 2 * 3.0 * 0.05)
    assert (high - low)[2, 1] == pytest.approx(2 * 0.994458 * 0.05)


def test_what_was_stored_comes_back() -> None:
    widths = IntervalWidths(np.array([1]), np.full((1, 2, 3), 3.0))
    some = Predictions(**{**vars(predictions()), "calibration": widths})
    again = Predictions.from_arrays(TARGETS, some.arrays())
    np.testing.assert_array_equal(again.interval(95), some.interval(95))
    np.testing.assert_array_equal(again.take(np.array([2])).mean, some.mean[[2]])
