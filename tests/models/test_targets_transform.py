"""Targets and the latents in which the layer is linear."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from al_service.models.targets_transform import INCREMENT_FLOOR, TargetTransform
from al_service.survey.targets import DEFAULT_TARGETS, SFR_QUANTILES, UNITS

Floats = NDArray[np.float64]

NINE = TargetTransform(DEFAULT_TARGETS)
LABEL = {
    "z": 0.25,
    "sfr_avg": 0.31,
    "sfr_entropy": 3.2,
    "sfr_median": 0.3,
    "sfr_mode": 0.2,
    "sfr_p16": -0.1,
    "sfr_p2p5": -0.4,
    "sfr_p84": 0.8,
    "sfr_p97p5": 1.2,
}


def row(label: dict[str, float], targets: tuple[str, ...]) -> Floats:
    return np.array([[label.get(target, np.nan) for target in targets]])


def zeros(like: Floats) -> Floats:
    return np.zeros_like(like)


@pytest.mark.parametrize("size", range(1, 10))
def test_every_subset_of_the_targets_comes_back_as_it_went(size: int) -> None:
    for targets in itertools.combinations(DEFAULT_TARGETS, size):
        transform = TargetTransform(targets)
        latent, _, observed = transform.forward(row(LABEL, targets))
        assert observed.all()
        center = transform.back(latent, zeros(latent), zeros(latent)).center
        center[:, [t == "z" for t in targets]] = np.expm1(
            center[:, [t == "z" for t in targets]]
        )
        np.testing.assert_allclose(center, row(LABEL, targets), atol=1e-12)


@settings(deadline=None, max_examples=50)
@given(arrays(np.float64, (3, 9), elements=st.floats(-20, 3)))
def test_predicted_quantiles_never_cross_whatever_the_latents(latent: Floats) -> None:
    center = NINE.back(latent, zeros(latent), zeros(latent)).center
    quantiles = center[:, [DEFAULT_TARGETS.index(name) for name in SFR_QUANTILES]]
    assert (np.diff(quantiles, axis=1) >= 0).all()


def test_z_is_the_logarithm_of_one_plus_z_with_its_error() -> None:
    transform = TargetTransform(("z",))
    latent, error, _ = transform.forward(np.array([[0.25]]), np.array([[0.01]]))
    assert latent[0, 0] == pytest.approx(np.log(1.25))
    assert error[0, 0] == pytest.approx(0.01 / 1.25)


def test_errors_of_an_increment_follow_the_delta_method() -> None:
    targets = ("sfr_median", "sfr_p84")
    values, errors = np.array([[0.3, 0.8]]), np.array([[0.03, 0.04]])
    _, spread, _ = TargetTransform(targets).forward(values, errors)
    assert spread[0, 1] == pytest.approx(0.05 / 0.5)  # hypot(0.03, 0.04) / increment
    generator = np.random.default_rng(0)
    draws = generator.normal(values, errors / 10, size=(200_000, 2))
    assert np.log(draws[:, 1] - draws[:, 0]).std() == pytest.approx(0.01, rel=0.01)


def test_neighbors_in_a_chain_have_an_error_of_a_label_in_common() -> None:
    targets = ("sfr_median", "sfr_p16", "sfr_p2p5", "sfr_avg")
    transform = TargetTransform(targets)
    values, errors = row(LABEL, targets), np.array([[0.03, 0.04, np.nan, 0.02]])
    generator = np.random.default_rng(0)
    draws = generator.normal(
        values, 0.1 * np.nan_to_num(errors), size=(200_000, len(targets))
    )
    latent, _, _ = transform.forward(draws)

    found = transform.error_covariance(values, errors)

    drawn = 100 * np.cov(latent.T)
    np.testing.assert_allclose(found[0], drawn, atol=0.02 * drawn.max())
    _, spread, _ = transform.forward(values, errors)
    np.testing.assert_allclose(np.diagonal(found[0]), spread[0] ** 2)


def test_variances_come_back_by_the_delta_method() -> None:
    targets = ("sfr_median", "sfr_p84", "sfr_avg")
    transform = TargetTransform(targets)
    latent = np.array([[0.0, np.log(0.5), 0.1]])
    variance = np.array([[0.04, 0.01, 0.09]])
    moments = transform.back(latent, variance, 2 * variance)
    np.testing.assert_allclose(
        moments.epistemic, [[0.04, 0.04 + 0.25 * 0.01, 0.04 + 0.09]]
    )
    np.testing.assert_allclose(moments.aleatoric, 2 * moments.epistemic)


def test_variances_of_errors_that_go_together_are_those_of_draws() -> None:
    """Added up as if independent, the lower quantiles were stated a fifth too sure."""
    generator = np.random.default_rng(0)
    root = generator.normal(size=(9, 9))
    spread = np.sqrt((root**2).sum(axis=1))
    correlation = root @ root.T / np.outer(spread, spread)
    latent, _, _ = NINE.forward(row(LABEL, DEFAULT_TARGETS))
    size = 1e-3 * generator.uniform(0.5, 2.0, size=(1, 9))
    draws = latent + size * generator.multivariate_normal(
        np.zeros(9), correlation, size=100_000
    )

    moments = NINE.back(latent, 4 * size**2, size**2, correlation)

    drawn = NINE.back(draws, zeros(draws), zeros(draws)).center.var(axis=0)
    np.testing.assert_allclose(moments.aleatoric[0], drawn, rtol=0.03)
    np.testing.assert_allclose(moments.epistemic, 4 * moments.aleatoric)


def test_a_latent_is_observed_only_if_all_its_parts_are() -> None:
    label = {name: value for name, value in LABEL.items() if name != "sfr_median"}
    _, _, observed = NINE.forward(row(label, DEFAULT_TARGETS))
    seen = dict(zip(DEFAULT_TARGETS, observed[0], strict=True))
    # Without the median there are neither offsets nor the increments next to it.
    assert not any(
        seen[name]
        for name in ("sfr_median", "sfr_avg", "sfr_mode", "sfr_p16", "sfr_p84")
    )
    assert seen["z"]
    assert seen["sfr_entropy"]
    assert seen["sfr_p2p5"]
    assert seen["sfr_p97p5"]


def test_equal_quantiles_are_one_step_of_the_catalogs_grid_apart() -> None:
    targets = ("sfr_median", "sfr_p84")
    latent, _, observed = TargetTransform(targets).forward(np.array([[0.3, 0.3]]))
    assert observed.all()
    assert np.exp(latent[0, 1]) == pytest.approx(INCREMENT_FLOOR)


def test_an_unknown_error_is_none() -> None:
    _, error, _ = NINE.forward(
        row(LABEL, DEFAULT_TARGETS), np.full((1, len(UNITS)), np.nan)
    )
    assert (error == 0).all()


def test_a_target_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="found 'mass'"):
        _ = TargetTransform(("mass",)).latents
