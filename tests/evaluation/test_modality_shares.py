import math

import numpy as np
import pytest

from al_service.evaluation.modality_shares import modality_shares

TRUTH = np.array([-1.0, 1.0, -1.0, 1.0])
MEAN = np.zeros(4)


def test_shapley_values_add_up_to_what_both_explain() -> None:
    generator = np.random.default_rng(0)
    first, second, both, neither = (
        TRUTH + spread * generator.standard_normal(4) for spread in (0.8, 0.6, 0.3, 1.5)
    )

    shares = modality_shares(
        TRUTH, first=first, second=second, both=both, neither=neither
    )

    gain = np.mean((neither - TRUTH) ** 2) - np.mean((both - TRUTH) ** 2)
    assert sum(shares.shapley) == pytest.approx(gain / np.var(TRUTH))


def test_a_modality_that_is_never_read_gets_nothing() -> None:
    shares = modality_shares(
        TRUTH, first=0.5 * TRUTH, second=MEAN, both=0.5 * TRUTH, neither=MEAN
    )

    assert shares.utilization == pytest.approx((0.5, 0.0))
    assert shares.shapley == pytest.approx((0.75, 0.0))
    assert shares.imbalance == pytest.approx(0.5)


def test_equal_modalities_share_equally() -> None:
    shares = modality_shares(
        TRUTH, first=0.5 * TRUTH, second=0.5 * TRUTH, both=0.75 * TRUTH, neither=MEAN
    )

    assert shares.utilization == pytest.approx((0.5, 0.5))
    assert shares.shapley == pytest.approx((0.46875, 0.46875))
    assert shares.imbalance == 0.0


def test_a_truth_that_does_not_vary_has_no_shares() -> None:
    shares = modality_shares(MEAN, first=MEAN, second=MEAN, both=MEAN, neither=MEAN)

    assert all(math.isnan(share) for share in (*shares.utilization, *shares.shapley))
