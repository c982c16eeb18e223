"""Columns on one scale."""

import numpy as np
import pytest

from al_service.features.scaling import CLIP_SIGMA, Scaler


def test_training_rows_have_zero_mean_and_unit_spread() -> None:
    rows = np.random.default_rng(0).normal(5.0, 3.0, size=(1_000, 2))
    scaled = Scaler.fit(rows).transform(rows)
    np.testing.assert_allclose(scaled.mean(axis=0), 0.0, atol=1e-5)
    np.testing.assert_allclose(scaled.std(axis=0), 1.0, atol=1e-5)


def test_a_missing_value_becomes_the_mean_and_does_not_move_it() -> None:
    rows = np.array([[1.0], [np.nan], [3.0]])
    scaler = Scaler.fit(rows)
    assert scaler.center[0] == 2.0
    assert scaler.transform(rows)[1, 0] == 0.0


def test_an_absurd_flux_is_drawn_in() -> None:
    scaler = Scaler.fit(np.random.default_rng(0).normal(size=(1_000, 1)))
    scaled = scaler.transform(np.array([[1e9], [-1e9], [np.inf]]))
    assert scaled[0, 0] == CLIP_SIGMA
    assert scaled[1, 0] == -CLIP_SIGMA


def test_one_flux_far_out_does_not_squeeze_all_others_together() -> None:
    rows = np.random.default_rng(0).normal(size=(1_000, 1))
    rows[0] = 100.0  # counted as it is, the spread would be 3.3
    assert Scaler.fit(rows).spread[0] == pytest.approx(1.2, abs=0.1)


def test_a_column_that_never_varied_says_nothing_later() -> None:
    scaler = Scaler.fit(np.zeros((10, 1)))
    assert scaler.transform(np.array([[1.0]]))[0, 0] == 0.0


def test_equal_values_whose_mean_is_rounded_never_varied() -> None:
    """Forty equally sure scans: a little less sure was six deviations off."""
    scaler = Scaler.fit(np.full((40, 1), 0.988))
    assert scaler.spread[0] == 0.0
    assert scaler.transform(np.array([[0.977]]))[0, 0] == 0.0


def test_a_column_without_any_value_is_zero() -> None:
    scaler = Scaler.fit(np.full((4, 1), np.nan))
    assert scaler.transform(np.array([[3.0]]))[0, 0] == pytest.approx(0.0)
