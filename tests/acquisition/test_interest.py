import numpy as np
import pytest
from pydantic import ValidationError

from al_service.acquisition.interest import Interest, interest_weights
from al_service.errors import InvalidInput

TARGETS = ("z", "sfr_median")


def weights(*declared: Interest) -> list[float]:
    mean = np.array([[0.1, 0.0], [0.2, 1.0], [0.3, 0.0]])
    deviation = np.array([[1e-9, 1e-9], [0.02, 1e-9], [1e-9, 1e-9]])
    found: list[float] = interest_weights(TARGETS, mean, deviation, declared).tolist()
    return found


def test_a_prediction_on_the_edge_counts_half() -> None:
    declared = Interest(target="z", low=0.2, weight=2.0)

    assert weights(declared) == pytest.approx([1.0, 1.5, 2.0])


def test_declarations_multiply_and_nothing_declared_weighs_all_alike() -> None:
    high = Interest(target="z", low=0.25, weight=3.0)
    faint = Interest(target="sfr_median", high=0.5, weight=2.0)

    assert weights() == [1.0, 1.0, 1.0]
    assert weights(high, faint)[2] == pytest.approx(6.0)


def test_a_target_that_is_not_predicted_is_refused() -> None:
    declared = [Interest(target="sfr_avg", low=0.0, weight=2.0)]

    with pytest.raises(InvalidInput, match="expected one of z, found sfr_avg"):
        interest_weights(("z",), np.zeros((1, 1)), np.ones((1, 1)), declared)


def test_a_range_the_wrong_way_round_is_refused() -> None:
    with pytest.raises(ValidationError, match="low < high"):
        Interest(target="z", low=0.3, high=0.2, weight=2.0)
