"""Features whose directions count alike."""

import numpy as np
import pytest
from numpy.typing import NDArray

from al_service.models.whitening import RELATIVE_FLOOR, Whitening

Floats = NDArray[np.float64]


def collapsed(n: int = 5_000) -> Floats:
    """Three directions with variances 1, 0.01 and 1e-12, turned."""
    generator = np.random.default_rng(0)
    rows = generator.normal(size=(n, 3)) * np.sqrt([1.0, 0.01, 1e-12])
    turn, _ = np.linalg.qr(generator.normal(size=(3, 3)))
    turned: Floats = rows @ turn + 5.0
    return turned


def test_strong_directions_get_unit_variance_and_weak_ones_stay_weak() -> None:
    rows = collapsed()
    white = Whitening.fit(rows).apply(rows).astype(np.float64)
    covariance = np.cov(white.T)
    np.testing.assert_allclose(covariance[1:, 1:], np.eye(2), atol=1e-2)
    assert covariance[0, 0] < 1e-12 / RELATIVE_FLOOR * 10
    np.testing.assert_allclose(white.mean(axis=0), 0.0, atol=1e-5)


def test_features_without_any_variance_stay_finite() -> None:
    white = Whitening.fit(np.ones((4, 3))).apply(np.ones((4, 3)))
    assert np.isfinite(white).all()


def test_distances_undo_half_of_the_whitening() -> None:
    rows = collapsed()
    whitening = Whitening.fit(rows)
    white = whitening.apply(rows).astype(np.float64)
    deviation = np.std(white * whitening.distance_scale, axis=0)
    raw = np.sqrt(np.linalg.eigvalsh(np.cov(rows.T)))
    # Standard deviations 1 and 0.1 become 1 and the root of 0.1.
    np.testing.assert_allclose(deviation[1:], np.sqrt(raw[1:] / raw[2]), rtol=1e-2)
    assert deviation[0] < 1e-4


def test_the_participation_ratio_counts_the_directions_that_features_fill() -> None:
    generator = np.random.default_rng(0)
    flat = generator.standard_normal((20_000, 8))
    narrow = flat * np.array([1.0, 1.0, *[1e-3] * 6])

    assert Whitening.fit(flat).participation_ratio == pytest.approx(8, rel=0.01)
    assert Whitening.fit(narrow).participation_ratio == pytest.approx(2, rel=0.02)
