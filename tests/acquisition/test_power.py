import numpy as np
from numpy.typing import NDArray

from al_service.acquisition.power import by_lot


def keys(count: int, seed: int = 0) -> NDArray[np.int64]:
    return np.random.default_rng(seed).integers(-(2**62), 2**62, size=count)


def test_the_first_one_is_drawn_with_the_odds_of_the_scores() -> None:
    score = np.array([1.0, 2.0, 5.0])

    first = [
        int(by_lot(score, keys(3, s), power=1.0, seed=1).argmax()) for s in range(4000)
    ]

    np.testing.assert_allclose(
        np.bincount(first) / 4000, [0.125, 0.25, 0.625], atol=0.025
    )


def test_a_power_of_zero_forgets_the_scores_and_a_large_one_obeys_them() -> None:
    score = np.linspace(1.0, 2.0, 2000)

    flat = by_lot(score, keys(2000), power=0.0, seed=1)
    steep = by_lot(score, keys(2000), power=1e6, seed=1)

    assert abs(np.corrcoef(flat, score)[0, 1]) < 0.06
    assert (np.diff(steep) > 0).all()


def test_the_lot_is_not_the_order_of_the_random_keys() -> None:
    """The random sample is the smallest keys: the two must not know of each other."""
    own = keys(4000)

    lot = by_lot(np.ones(4000), own, power=1.0, seed=3)

    assert abs(np.corrcoef(np.argsort(np.argsort(lot)), own)[0, 1]) < 0.05


def test_a_score_of_zero_comes_last_and_the_seed_makes_another_draw() -> None:
    score = np.array([0.0, 1.0, 1.0, 1.0])

    first = by_lot(score, keys(4), power=1.0, seed=1)

    assert np.isfinite(first).all()
    assert first.argmin() == 0
    assert by_lot(score, keys(4), power=1.0, seed=2).tolist() != first.tolist()
