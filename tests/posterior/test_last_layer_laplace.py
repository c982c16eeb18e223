import numpy as np
import pytest

from al_service.posterior.last_layer_laplace import laplace_factor


def test_well_taught_directions_have_the_variance_of_least_squares() -> None:
    generator = np.random.default_rng(0)
    design = np.column_stack([generator.standard_normal((4000, 3)), np.ones(4000)])
    weights = np.array([1.0, -2.0, 0.5, 0.3])
    noise = np.full(4000, 0.04)

    factor = laplace_factor(design, weights, noise)

    exact = np.linalg.inv(design.T @ design / 0.04)
    assert factor @ factor.T == pytest.approx(exact, rel=0.02, abs=1e-9)


def test_a_direction_that_no_label_has_shown_is_uncertain() -> None:
    generator = np.random.default_rng(1)
    design = np.column_stack(
        [generator.standard_normal(500), np.zeros(500), np.ones(500)]
    )
    weights = np.array([1.0, 1.0, 0.0])

    factor = laplace_factor(design, weights, np.ones(500))

    shown, hidden, _ = np.diag(factor @ factor.T)
    assert hidden > 50 * shown
