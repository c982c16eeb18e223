import math

import numpy as np
import pytest
from numpy.typing import NDArray

from al_service.errors import InvalidInput
from al_service.evaluation.curves import label_ratio
from al_service.evaluation.saving import saving_intervals

N_LABELS = np.array([100, 200, 400, 800])
GALAXIES = np.array([f"galaxy {number}" for number in range(300)])


def squared(
    factor: float, *, seed: int = 1, shared: float = 1.0
) -> NDArray[np.float64]:
    """Squared errors that fall as 1/n, hard galaxies being hard for every model."""
    generator = np.random.default_rng(seed)
    hardness = np.random.default_rng(0).chisquare(1, len(GALAXIES))
    own = generator.chisquare(1, (len(N_LABELS), len(GALAXIES)))
    mixed = shared * hardness + (1.0 - shared) * own
    return factor / N_LABELS[:, None] * mixed


def test_arms_that_differ_by_a_factor_everywhere_leave_no_doubt() -> None:
    found = saving_intervals(N_LABELS, squared(0.5), squared(1.0), GALAXIES, seed=3)

    assert found.label_ratio == pytest.approx((0.5, 0.5))
    assert found.error_ratio == pytest.approx((2**-0.5, 2**-0.5))


def test_the_interval_holds_the_ratio_and_is_wider_with_fewer_galaxies() -> None:
    active = squared(0.6, seed=1, shared=0.6)
    control = squared(1.0, seed=2, shared=0.6)
    many = saving_intervals(N_LABELS, active, control, GALAXIES, seed=3)
    few = saving_intervals(
        N_LABELS, active[:, :60], control[:, :60], GALAXIES[:60], seed=3
    )

    pair = [np.sqrt(arm.mean(axis=1))[None] for arm in (active, control)]
    ratio = label_ratio(N_LABELS, pair[0], pair[1])
    assert many.label_ratio[0] < ratio < many.label_ratio[1] < 1.0
    assert np.ptp(few.error_ratio) > 1.5 * np.ptp(many.error_ratio)


def test_intervals_hold_the_ratio_of_all_galaxies_as_often_as_they_promise() -> None:
    held = []
    for seed in range(60):
        active = squared(0.6, seed=2 * seed, shared=0.6)
        control = squared(1.0, seed=2 * seed + 1, shared=0.6)
        found = saving_intervals(
            N_LABELS, active, control, GALAXIES, seed=seed, draws=100
        )
        held.append(found.error_ratio[0] <= math.sqrt(0.6) <= found.error_ratio[1])

    assert np.mean(held) >= 0.87


def test_an_error_that_is_reached_now_and_then_has_an_open_end() -> None:
    """At the last point both are alike: half of the draws do not reach it."""
    active = squared(1.0, seed=1, shared=0.9)
    control = squared(1.0, seed=2, shared=0.9)
    active[-1] *= control[-1].mean() / active[-1].mean()

    found = saving_intervals(N_LABELS, active, control, GALAXIES, seed=3)

    assert found.label_ratio[0] < 1.0
    assert found.label_ratio[1] == math.inf


def test_observations_of_one_galaxy_are_drawn_together() -> None:
    active = squared(0.6, seed=1, shared=0.6)
    control = squared(1.0, seed=2, shared=0.6)
    alone = saving_intervals(N_LABELS, active, control, GALAXIES, seed=3)
    twice = saving_intervals(
        N_LABELS,
        np.tile(active, 2),
        np.tile(control, 2),
        np.tile(GALAXIES, 2),
        seed=3,
    )

    assert twice.label_ratio == pytest.approx(alone.label_ratio)
    assert twice.error_ratio == pytest.approx(alone.error_ratio)


def test_errors_of_other_objects_are_refused() -> None:
    with pytest.raises(InvalidInput, match="4 x 299"):
        saving_intervals(N_LABELS, squared(1.0), squared(1.0), GALAXIES[1:], seed=3)
