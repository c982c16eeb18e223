import numpy as np
import pytest
from numpy.typing import NDArray

from al_service.evaluation.gate import FEWEST_LABELS, decide, object_losses


def losses(count: int = 400) -> NDArray[np.float64]:
    return np.random.default_rng(2).exponential(size=count)


def groups(count: int) -> NDArray[np.str_]:
    return np.array([f"galaxy {number}" for number in range(count)])


def test_a_run_that_is_clearly_worse_is_refused() -> None:
    best = losses()

    decision = decide(best * 1.05, best, groups(400), seed=0)

    assert decision.refused
    assert decision.ratio == pytest.approx(1.05)
    assert decision.interval90 is not None
    assert decision.interval90[0] > 0


def test_a_run_that_is_clearly_worse_by_half_a_percent_passes() -> None:
    best = losses()

    decision = decide(best * 1.005, best, groups(400), seed=0)

    assert not decision.refused
    assert decision.interval90 is not None
    assert decision.interval90[0] > 0


def test_a_run_that_may_be_worse_by_chance_passes() -> None:
    best = losses()
    noise = np.random.default_rng(5).standard_normal(400)
    noise += 0.03 - noise.mean()

    decision = decide(best + noise, best, groups(400), seed=0)

    assert decision.ratio is not None
    assert decision.ratio > 1.01
    assert not decision.refused


def test_a_better_run_passes() -> None:
    best = losses()

    assert not decide(best * 0.9, best, groups(400), seed=0).refused


def test_few_evaluation_labels_let_every_run_pass_and_say_so() -> None:
    best = losses(FEWEST_LABELS - 1)

    decision = decide(best * 10, best, groups(FEWEST_LABELS - 1), seed=0)

    assert not decision.refused
    assert decision.ratio is None
    assert "49 evaluation labels" in decision.reason


def test_repeats_of_a_few_galaxies_are_not_taken_for_evidence() -> None:
    best = np.tile(losses(5), 80)
    new = best + np.tile([0.5, -0.3, 0.4, -0.2, 0.1], 80)

    alone = decide(new, best, groups(400), seed=0)
    grouped = decide(new, best, np.tile(groups(5), 80), seed=0)

    assert alone.refused
    assert not grouped.refused


def test_the_mean_object_loss_is_the_mean_over_targets_of_crps_over_spread() -> None:
    generator = np.random.default_rng(0)
    values = generator.standard_normal((300, 3)) * [0.1, 1.0, 5.0]
    values[:100, 1] = np.nan
    values[:, 2] = np.where(generator.random(300) < 0.8, np.nan, values[:, 2])
    crps = np.where(np.isnan(values), np.nan, generator.random((300, 3)))

    mean = object_losses(crps, values).mean()

    per_target = np.nanmean(crps, axis=0) / np.nanstd(values, axis=0)
    assert mean == pytest.approx(per_target.mean())


def test_a_target_without_labels_does_not_count() -> None:
    values = np.array([[1.0, np.nan], [3.0, np.nan]])
    crps = np.array([[0.5, np.nan], [0.5, np.nan]])

    assert object_losses(crps, values).tolist() == [0.5, 0.5]
