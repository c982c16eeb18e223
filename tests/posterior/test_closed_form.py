"""The exact posterior."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import multivariate_normal

from al_service.posterior.closed_form import (
    RATIOS,
    best_precision,
    exact_posterior,
    left_out_errors,
)

Floats = NDArray[np.float64]


def problem(n: int = 30, d: int = 4, seed: int = 0) -> tuple[Floats, Floats, Floats]:
    generator = np.random.default_rng(seed)
    design = generator.normal(size=(n, d))
    design[:, -1] = 1.0
    noise = generator.uniform(0.1, 2.0, size=n)
    values = design @ np.arange(d) + generator.normal(size=n) * np.sqrt(noise)
    return design, values, noise


def test_one_label_on_one_feature_is_the_textbook_case() -> None:
    # Prior variance 1/2, noise 1/2, φ = 1: half of the label, half of the variance.
    posterior = exact_posterior(
        np.ones((1, 1)), np.array([3.0]), np.array([0.5]), np.array([2.0])
    )
    assert posterior.mean == pytest.approx([1.5])
    assert posterior.factor**2 == pytest.approx(np.array([[0.25]]))


def test_it_is_bayes_theorem() -> None:
    design, values, noise = problem()
    precision = np.array([2.0, 2.0, 2.0, 0.5])
    posterior = exact_posterior(design, values, noise, precision)
    weights = multivariate_normal(posterior.mean, posterior.factor @ posterior.factor.T)
    points = np.random.default_rng(1).normal(size=(3, 4))
    prior = -0.5 * (points**2 * precision).sum(axis=1)
    likelihood = -0.5 * ((values - points @ design.T) ** 2 / noise).sum(axis=1)
    difference = weights.logpdf(points) - prior - likelihood
    np.testing.assert_allclose(difference, difference[0])  # the evidence


def test_without_labels_there_is_the_prior() -> None:
    nothing = np.zeros((0, 2))
    posterior = exact_posterior(nothing, np.zeros(0), np.zeros(0), np.array([4.0, 1.0]))
    assert posterior.mean == pytest.approx([0.0, 0.0])
    np.testing.assert_allclose(
        posterior.factor @ posterior.factor.T, np.diag([0.25, 1.0])
    )


def test_weights_move_the_mean_as_repeated_labels_would_and_leave_the_covariance() -> (
    None
):
    design, values, noise = problem(n=6)
    precision = np.ones(4)
    weights = np.array([1.0, 2.0, 3.0, 1.0, 1.0, 2.0])
    times = weights.astype(int)
    weighted = exact_posterior(design, values, noise, precision, weights=weights)
    repeated = exact_posterior(
        design.repeat(times, axis=0),
        values.repeat(times),
        noise.repeat(times),
        precision,
    )
    plain = exact_posterior(design, values, noise, precision)
    np.testing.assert_allclose(weighted.mean, repeated.mean)
    np.testing.assert_array_equal(weighted.factor, plain.factor)


def test_a_label_can_only_teach() -> None:
    design, values, noise = problem()
    fewer = exact_posterior(design[:-1], values[:-1], noise[:-1], np.ones(4))
    more = exact_posterior(design, values, noise, np.ones(4))
    directions = np.random.default_rng(2).normal(size=(50, 4))
    before = ((directions @ fewer.factor) ** 2).sum(axis=1)
    after = ((directions @ more.factor) ** 2).sum(axis=1)
    assert (after <= before * (1 + 1e-12)).all()


def test_the_left_out_score_is_that_of_really_leaving_out() -> None:
    design, values, noise = problem(n=25)

    def really(precision: float) -> float:
        scores = np.empty(25)
        variances = np.empty(25)
        for i in range(25):
            rest = np.arange(25) != i
            # The intercept's precision follows the grid, as `best_precision` says.
            precisions = np.full(4, precision)
            precisions[-1] = precision / 100.0
            posterior = exact_posterior(
                design[rest], values[rest], noise[rest], precisions
            )
            variances[i] = noise[i] + ((design[i] @ posterior.factor) ** 2).sum()
            scores[i] = (values[i] - design[i] @ posterior.mean) ** 2
        relative = variances / noise
        scale = np.mean(scores / variances)
        return float(-0.5 * (np.log(scale) + np.mean(np.log(relative))))

    best = best_precision(design, values, noise)
    assert best == RATIOS[np.argmax([really(ratio) for ratio in RATIOS])]


def test_pure_noise_asks_for_a_strong_prior_and_a_clear_signal_for_a_weak_one() -> None:
    generator = np.random.default_rng(0)
    design = generator.normal(size=(200, 20))
    design[:, -1] = 1.0
    noise = np.full(200, 0.01)
    signal = design @ generator.normal(size=20)
    deaf = generator.normal(size=200)
    clear = best_precision(design, signal, noise)
    shy = best_precision(design, deaf, noise)
    assert clear < 10.0 < 1_000.0 < shy


def test_a_label_that_is_left_out_is_judged_by_the_others() -> None:
    design, values, noise = problem(n=12)
    precision = np.array([2.0, 2.0, 2.0, 0.5])
    posterior = exact_posterior(design, values, noise, precision)

    found = left_out_errors(design, values, noise, posterior)

    expected = np.empty(len(values))
    for one in range(len(values)):
        others = np.arange(len(values)) != one
        without = exact_posterior(
            design[others], values[others], noise[others], precision
        )
        open_ = ((design[one] @ without.factor) ** 2).sum()
        off = values[one] - design[one] @ without.mean
        expected[one] = off / np.sqrt(noise[one] + open_)
    np.testing.assert_allclose(found, expected, rtol=1e-4)
