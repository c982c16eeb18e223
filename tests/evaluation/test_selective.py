import numpy as np
import pytest

from al_service.errors import InvalidInput
from al_service.evaluation.selective import selective_curve


def test_the_most_uncertain_are_dropped_first() -> None:
    curve = selective_curve(np.array([9.0, 1.0, 2.0]), np.array([0.3, 0.1, 0.2]))

    assert curve.kept == pytest.approx([1 / 3, 2 / 3, 1.0])
    assert curve.risk == pytest.approx([1.0, 1.5, 4.0])
    assert curve.area == pytest.approx(6.5 / 3)
    assert curve.at(2 / 3) == pytest.approx(1.5)
    assert curve.at(0.0) == pytest.approx(1.0)


def test_uncertainty_that_knows_the_loss_beats_one_that_does_not() -> None:
    generator = np.random.default_rng(0)
    loss = generator.exponential(size=1000)

    knowing = selective_curve(loss, loss).area
    guessing = selective_curve(loss, generator.uniform(size=1000)).area
    mistaken = selective_curve(loss, -loss).area
    assert knowing < 0.5 * guessing
    assert mistaken > 1.5 * guessing


def test_one_uncertainty_for_all_gives_one_risk_whatever_the_order() -> None:
    loss = np.array([0.0, 1.0, 5.0])

    curve = selective_curve(loss, np.ones(3))

    assert curve.risk == pytest.approx([2.0, 2.0, 2.0])


def test_a_curve_of_nobody_is_refused() -> None:
    with pytest.raises(InvalidInput, match="at least one object"):
        selective_curve(np.empty(0), np.empty(0))
