import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from al_service.errors import InvalidInput
from al_service.evaluation.metrics import (
    covered,
    gaussian_crps,
    gaussian_nll,
    median_bias,
    normalized_residual,
    outlier_rate,
    point_metrics,
    sigma_iqr,
    sigma_mad,
)

TRUTH = np.array([0.0, 1.0, 0.5, 0.25])
PREDICTION = np.array([0.1, 1.0, 0.35, 0.25])  # dz/(1+z): 0.1, 0, -0.1, 0


def test_redshift_metrics_are_of_dz_over_one_plus_z() -> None:
    metrics = point_metrics("z", TRUTH, PREDICTION)

    assert metrics["rmse_norm"] == pytest.approx(math.sqrt(0.02 / 4))
    assert metrics["sigma_mad"] == pytest.approx(1.4826 * 0.05)
    assert metrics["outlier_fraction"] == 0.5


def test_plain_metrics_are_in_the_unit_of_the_target() -> None:
    metrics = point_metrics("sfr_median", TRUTH, PREDICTION)

    assert set(metrics) == {"rmse", "mae", "r2", "bias"}
    assert metrics["rmse"] == pytest.approx(math.sqrt((0.1**2 + 0.15**2) / 4))
    assert metrics["mae"] == pytest.approx(0.0625)
    assert metrics["bias"] == pytest.approx(-0.0125)
    assert metrics["r2"] == pytest.approx(1 - (0.1**2 + 0.15**2) / 4 / np.var(TRUTH))


def test_the_mean_as_prediction_explains_nothing() -> None:
    metrics = point_metrics("z", TRUTH, np.full(4, TRUTH.mean()))

    assert metrics["r2"] == pytest.approx(0.0)


def test_r2_is_not_defined_for_a_truth_that_does_not_vary() -> None:
    metrics = point_metrics("z", np.full(3, 0.1), np.full(3, 0.2))

    assert math.isnan(metrics["r2"])


def test_an_offset_moves_the_bias_but_not_the_spread() -> None:
    generator = np.random.default_rng(0)
    residual = generator.standard_normal(1000)

    assert sigma_mad(residual + 3.0) == pytest.approx(sigma_mad(residual))
    assert sigma_iqr(residual + 3.0) == pytest.approx(sigma_iqr(residual))
    assert median_bias(residual + 3.0) == pytest.approx(median_bias(residual) + 3.0)


def test_both_spreads_of_a_normal_sample_are_its_standard_deviation() -> None:
    residual = norm.ppf((np.arange(100_000) + 0.5) / 100_000, scale=0.02)

    assert sigma_mad(residual) == pytest.approx(0.02, rel=1e-4)
    assert sigma_iqr(residual) == pytest.approx(0.02, rel=1e-4)


def test_an_outlier_of_rail_is_beyond_three_spreads_and_beyond_six_percent() -> None:
    narrow = np.concatenate([np.linspace(-0.001, 0.001, 98), [0.059, 0.061]])
    wide = np.concatenate([np.linspace(-0.1, 0.1, 98), [0.061, 0.9]])

    assert outlier_rate(narrow) == 0.01
    assert outlier_rate(wide) == 0.01


@pytest.mark.parametrize("truth", [-1.3, 0.2, 4.0])
def test_crps_is_the_integral_of_its_definition(truth: float) -> None:
    mean, deviation = 0.4, 0.7

    def squared_difference(x: float) -> float:
        return float((norm.cdf(x, mean, deviation) - (x >= truth)) ** 2)

    below, _ = quad(squared_difference, -10, truth)
    above, _ = quad(squared_difference, truth, 10)
    score = gaussian_crps(np.array([truth]), np.array([mean]), np.array([deviation]))
    assert score[0] == pytest.approx(below + above, rel=1e-6)


def test_crps_of_a_sure_prediction_is_its_absolute_error() -> None:
    truth, mean = np.array([1.0, -2.0]), np.array([0.5, 0.0])

    score = gaussian_crps(truth, mean, np.full(2, 1e-12))

    assert score == pytest.approx([0.5, 2.0])


def test_crps_and_nll_are_least_for_the_true_spread() -> None:
    truth = np.random.default_rng(1).standard_normal(20_000)
    zero = np.zeros_like(truth)

    for score in (gaussian_crps, gaussian_nll):
        means = [score(truth, zero, zero + spread).mean() for spread in (0.8, 1, 1.25)]
        assert means[1] == min(means)


def test_nll_is_minus_the_log_density() -> None:
    truth, mean = np.array([0.3]), np.array([0.1])

    score = gaussian_nll(truth, mean, np.array([0.2]))

    assert score[0] == pytest.approx(-norm.logpdf(0.3, 0.1, 0.2))


def test_an_interval_covers_its_ends() -> None:
    inside = covered(np.array([0.0, 1.0, 2.0]), np.zeros(3), np.ones(3))

    assert inside.tolist() == [1.0, 1.0, 0.0]


def test_missing_truth_is_refused_and_not_averaged() -> None:
    with pytest.raises(InvalidInput, match="finite"):
        point_metrics("z", np.array([0.1, np.nan]), np.zeros(2))


def test_nothing_to_examine_is_refused() -> None:
    with pytest.raises(InvalidInput, match="at least one"):
        point_metrics("z", np.zeros(0), np.zeros(0))


def test_redshift_metrics_agree_with_the_published_definitions() -> None:
    """RAIL's `PointSigmaIQR, PointBias, PointOutlierRate, PointSigmaMAD` by hand.

    dz/(1+z) is -0.02, 0, 0.01, 0.04, 0.3: quartiles 0 and 0.04, median 0.01, absolute
    deviations 0.03, 0.01, 0, 0.03, 0.29; three spreads are 0.089, so that one of five
    is an outlier.
    """
    truth = np.array([0.0, 0.25, 0.5, 1.0, 3.0])
    residual = np.array([-0.02, 0.0, 0.01, 0.04, 0.3])
    found = normalized_residual(truth, truth + residual * (1.0 + truth))

    assert found == pytest.approx(residual)
    assert sigma_iqr(found) == pytest.approx(0.04 / 1.349)
    assert median_bias(found) == pytest.approx(0.01)
    assert outlier_rate(found) == pytest.approx(0.2)
    assert sigma_mad(found) == pytest.approx(1.4826 * 0.03)
