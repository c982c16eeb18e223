import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from al_service.evaluation.distributions import cde_loss, pit_distance, pit_histogram
from al_service.posterior.predictions import Predictions


def predicted(center: float, spread: float, n: int = 1) -> Predictions:
    """Gaussians in the own space of z and of one SFR statistic."""
    shape = (n, 2)
    return Predictions(
        ("z", "sfr_median"),
        np.ones(n, np.int64),
        np.full(shape, center),
        np.zeros(shape),
        np.full(shape, spread),
    )


def test_percentiles_of_right_distributions_are_flat() -> None:
    pit = (np.arange(1000) + 0.5) / 1000

    assert pit_distance(pit) == pytest.approx(0.0005)
    assert pit_histogram(pit, bins=10) == pytest.approx(np.ones(10))


def test_overconfident_distributions_pile_percentiles_up_at_the_ends() -> None:
    truth = np.random.default_rng(0).standard_normal(5000)
    pit = norm.cdf(truth / 0.5)

    heights = pit_histogram(pit)
    assert heights[0] > 2
    assert heights[-1] > 2
    assert heights[len(heights) // 2] < 1
    # The standard normal lies furthest above one half as wide at 0.96.
    grid = np.linspace(-3, 3, 6001)
    expected = np.max(np.abs(norm.cdf(grid) - norm.cdf(grid / 0.5)))
    assert pit_distance(pit) == pytest.approx(expected, abs=0.02)


def test_unknown_labels_have_no_percentile() -> None:
    assert pit_distance(np.array([np.nan, 0.5])) == pytest.approx(0.5)
    assert math.isnan(pit_distance(np.array([np.nan])))


def test_the_density_loss_is_the_integral_of_its_definition() -> None:
    center, spread, truth = 0.2, 0.1, 0.31
    losses = cde_loss(predicted(center, spread), np.array([[truth, truth]]))[0]

    def density_of_z(z: float) -> float:
        return float(norm.pdf(math.log1p(z), center, spread) / (1 + z))

    def density(y: float) -> float:
        return float(norm.pdf(y, center, spread))

    for loss, p in zip(losses, (density_of_z, density), strict=True):
        squared, _ = quad(lambda y, p=p: p(y) ** 2, -0.9, 3.0, points=[0.2])
        assert loss == pytest.approx(squared - 2 * p(truth), rel=1e-6)


def test_the_density_loss_is_least_for_the_true_spread() -> None:
    generator = np.random.default_rng(2)
    own = generator.normal(0.3, 0.1, (20_000, 2))
    values = np.column_stack([np.expm1(own[:, 0]), own[:, 1]])
    right = predicted(0.3, 0.1, len(own))

    losses = [
        cde_loss(
            replace(right, aleatoric_spread=right.aleatoric_spread * factor), values
        ).mean(axis=0)
        for factor in (0.8, 1.0, 1.25)
    ]
    assert np.argmin(losses, axis=0).tolist() == [1, 1]


def test_the_training_distribution_for_all_passes_percentiles_not_density() -> None:
    """The trap of Schmidt et al. 2020: percentiles alone can be gamed."""
    generator = np.random.default_rng(3)
    center = generator.normal(0.3, 0.1, (4000, 1))
    own = center + generator.normal(0.0, 0.02, (4000, 1))
    base = predicted(0.3, math.hypot(0.1, 0.02), 4000)
    everyone = replace(
        base,
        targets=("sfr_median",),
        center=base.center[:, :1],
        epistemic_spread=base.epistemic_spread[:, :1],
        aleatoric_spread=base.aleatoric_spread[:, :1],
    )
    informed = replace(
        everyone, center=center, aleatoric_spread=np.full(own.shape, 0.02)
    )

    assert pit_distance(everyone.pit(own)[:, 0]) < 0.03
    assert cde_loss(informed, own).mean() < 2 * cde_loss(everyone, own).mean()


def test_a_rate_of_which_nothing_is_known_has_a_density_loss_too() -> None:
    """A spread of a hundred dex overflowed where only redshifts are stretched."""
    lost = Predictions(
        ("sfr_median",), np.zeros(1, np.int64), *(np.full((1, 1), 100.0),) * 3
    )

    assert float(cde_loss(lost, np.zeros((1, 1)))[0, 0]) == pytest.approx(0, abs=0.01)
