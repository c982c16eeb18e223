import numpy as np
import pytest

from al_service.acquisition.gradients import through_gradients, unit_scale
from tests.acquisition.skies import small_sky


def test_one_factor_gives_gradients_a_mean_squared_length_of_one() -> None:
    gradients = 30.0 * np.random.default_rng(1).standard_normal((50, 8))

    scale = unit_scale(gradients)

    assert scale.shape == (1,)
    assert ((gradients * scale) ** 2).sum(axis=1).mean() == pytest.approx(1.0)
    assert unit_scale(np.zeros((5, 3))).tolist() == [1.0]
    assert unit_scale(np.empty((0, 3))).tolist() == [1.0]


def test_before_any_label_the_pool_is_as_uncertain_as_it_was() -> None:
    known = small_sky().knowledge
    gradients = np.random.default_rng(2).standard_normal((400, 32)) * 7.0

    steep = through_gradients(known, gradients)

    before = (known.aims.features.astype(float) ** 2).sum(axis=1).mean() / known.prior
    after = (gradients**2).sum(axis=1).mean() / steep.prior
    assert after == pytest.approx(before, rel=1e-6)
    assert steep.aims.features.shape == (400, 32)
    assert steep.aims.weights is known.aims.weights
    assert steep.center_precision is known.center_precision
