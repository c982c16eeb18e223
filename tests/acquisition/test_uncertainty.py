import numpy as np
import pytest

from al_service.acquisition.uncertainty import total_variance
from al_service.errors import InvalidInput


def test_the_score_is_the_sum_over_targets_in_float64() -> None:
    epistemic = np.array([[0.1, 0.2], [0.0, 0.5]], dtype=np.float32)

    score = total_variance(epistemic)

    assert score.dtype == np.float64
    assert score == pytest.approx([0.3, 0.5], rel=1e-6)


def test_a_negative_variance_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"minimum -0\.1"):
        total_variance(np.array([[0.1, -0.1]]))


def test_a_variance_that_is_no_number_is_refused() -> None:
    with pytest.raises(InvalidInput):
        total_variance(np.array([[np.nan, 0.1]]))
