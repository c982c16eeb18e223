from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from al_service.errors import InvalidInput
from al_service.evaluation.population import (
    FEWEST_DRAWS,
    HandOuts,
    draw_estimates,
    population_loss,
)

N_OBJECTS = 400
N_ASKED = 160


def sky(
    seed: int, *, shape: float = 0.7
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Losses of a whole pool, and what a model expects of them: too little."""
    generator = np.random.default_rng(seed)
    expected = generator.gamma(shape, 1.0, N_OBJECTS)
    return 1.6 * expected * generator.chisquare(1, N_OBJECTS), expected


def campaign(
    loss: NDArray[np.float64],
    expected: NDArray[np.float64],
    seed: int,
    *,
    share: float = 0.3,
) -> HandOuts:
    """A strategy that looks at every label so far, and random slots in between.

    It likes objects whose expected loss is near that of the worst label: what it asks
    for hangs on what the random draws have brought.
    """
    generator = np.random.default_rng(seed)
    keys = generator.permutation(N_OBJECTS).astype(np.float64)  # smallest first
    free = np.ones(N_OBJECTS, dtype=np.bool_)
    taken: list[int] = []
    drawn: list[bool] = []
    worst = 0
    for _ in range(N_ASKED):
        drawn.append(bool(generator.random() < share) or not taken)
        liking = keys if drawn[-1] else np.abs(expected - expected[worst])
        row = int(np.where(free, liking, np.inf).argmin())
        worst = row if not taken or loss[row] > loss[worst] else worst
        free[row] = False
        taken.append(row)
    return HandOuts(
        loss[taken],
        expected[taken],
        np.array(drawn),
        np.zeros(N_ASKED, dtype=np.int64),
        np.array([N_OBJECTS]),
        np.array([expected.mean()]),
    )


def without_expectations(handed: HandOuts) -> HandOuts:
    return replace(
        handed,
        expected=np.zeros_like(handed.expected),
        mean_expected=np.zeros_like(handed.mean_expected),
    )


def test_whatever_the_strategy_likes_the_estimate_is_that_of_the_whole_pool() -> None:
    loss, expected = sky(1)
    truth = float(loss.mean())
    handed = [campaign(loss, expected, seed) for seed in range(300)]

    estimates = np.array([draw_estimates(one).mean() for one in handed])
    plain = np.array(
        [draw_estimates(without_expectations(one)).mean() for one in handed]
    )

    for found in (estimates, plain):
        error = found.std(ddof=1) / np.sqrt(len(found))
        assert abs(found.mean() - truth) < 3.5 * error
        assert error < 0.02 * truth
    assert np.mean([one.loss.mean() for one in handed]) > 1.3 * truth
    # What the strategy's labels say of the model's expectations saves random draws.
    assert estimates.var() < 0.9 * plain.var()


def test_the_interval_holds_the_truth_about_as_often_as_it_promises() -> None:
    held = []
    for seed in range(300):
        loss, expected = sky(seed, shape=2.0)
        found = population_loss(campaign(loss, expected, seed, share=0.6))
        assert found is not None
        held.append(found.loss.low <= loss.mean() <= found.loss.high)

    assert 0.90 <= np.mean(held) <= 0.99


def test_the_last_object_of_a_pool_knows_its_mean_exactly() -> None:
    loss, expected = sky(2)
    order = np.random.default_rng(2).permutation(N_OBJECTS)
    handed = HandOuts(
        loss[order],
        expected[order],
        np.arange(N_OBJECTS) == N_OBJECTS - 1,
        np.zeros(N_OBJECTS, dtype=np.int64),
        np.array([N_OBJECTS]),
        np.array([expected.mean()]),
    )

    assert draw_estimates(handed) == pytest.approx([loss.mean()])


def test_a_perfect_expectation_leaves_nothing_to_the_draws() -> None:
    _, expected = sky(3)

    estimates = draw_estimates(campaign(expected, expected, 3))

    assert estimates == pytest.approx(np.full(len(estimates), expected.mean()))


def test_every_order_counts_the_objects_that_were_free_when_it_was_made() -> None:
    loss, expected = sky(4)
    handed = campaign(loss, expected, 4)
    half = N_ASKED // 2
    after = expected.sum() - handed.expected[:half].sum()
    two = replace(
        handed,
        order=(np.arange(N_ASKED) >= half).astype(np.int64),
        n_free=np.array([N_OBJECTS, N_OBJECTS - half]),
        mean_expected=np.array([expected.mean(), after / (N_OBJECTS - half)]),
    )

    found, expected_first = draw_estimates(two), draw_estimates(handed)

    first = int(handed.drawn[:half].sum())
    assert found[:first] == pytest.approx(expected_first[:first])
    # The second order says nothing of labels that the first one has brought.
    known = handed.loss[:half].sum()
    left = N_OBJECTS - half
    assert (found[first:] * left + known) / N_OBJECTS == pytest.approx(
        expected_first[first:]
    )


def test_an_object_without_an_answer_is_no_draw_and_no_label() -> None:
    loss, expected = sky(5)
    handed = campaign(loss, expected, 5)
    silent = handed.loss.copy()
    silent[::2] = np.nan

    found = population_loss(replace(handed, loss=silent))

    assert found is not None
    assert found.n_labels == N_ASKED // 2
    assert found.n_draws == handed.drawn[1::2].sum()


def test_a_few_draws_say_nothing() -> None:
    loss, expected = sky(6)
    handed = campaign(loss, expected, 6)
    few = handed.drawn & (np.cumsum(handed.drawn) < FEWEST_DRAWS)

    assert population_loss(replace(handed, drawn=few)) is None


def test_columns_of_different_hand_outs_are_refused() -> None:
    loss, expected = sky(7)
    handed = campaign(loss, expected, 7)

    with pytest.raises(InvalidInput, match="per hand-out"):
        replace(handed, loss=loss)
    with pytest.raises(InvalidInput, match="orders from 0 to 0"):
        replace(handed, order=handed.order + 1)
