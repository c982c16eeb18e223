import numpy as np
import pytest
from numpy.typing import NDArray

from al_service.acquisition.covering import rank_covering
from al_service.acquisition.ranking import Ranking
from al_service.errors import InvalidInput

N_CLUMPS = 8


def clumps() -> NDArray[np.float64]:
    """Eight tight clumps of falling size, and ten stragglers far outside."""
    generator = np.random.default_rng(4)
    centers = 20.0 * generator.standard_normal((N_CLUMPS, 4))
    parts = [
        center + 0.3 * generator.standard_normal((80 - 5 * number, 4))
        for number, center in enumerate(centers)
    ]
    return np.concatenate([*parts, 200.0 * generator.standard_normal((10, 4))])


def covering(points: NDArray[np.float64], size: int) -> Ranking:
    names = np.array([f"object {row:04d}" for row in range(len(points))])
    return rank_covering(points, names, names, size=size, seed=0, batch=N_CLUMPS)


def clump_of(rows: list[int]) -> list[int]:
    ends = np.cumsum([80 - 5 * number for number in range(N_CLUMPS)])
    return [int(one) for one in np.searchsorted(ends, rows, side="right")]


def test_the_first_choice_covers_most_and_every_clump_comes_before_a_straggler() -> (
    None
):
    order = covering(clumps(), 40).order.tolist()

    assert clump_of(order[:1]) == [0]
    whose = clump_of(order)
    first_straggler = whose.index(N_CLUMPS) if N_CLUMPS in whose else len(whose)
    assert set(whose[:first_straggler]) == set(range(N_CLUMPS))


def test_every_prefix_is_the_shorter_order_and_nothing_comes_twice() -> None:
    whole = covering(clumps(), 100).order.tolist()

    assert covering(clumps(), 17).order.tolist() == whole[:17]
    assert len(set(whole)) == len(whole) == 100


def test_a_small_pool_is_ordered_whole_and_an_empty_one_is_empty() -> None:
    points = np.arange(12.0).reshape(6, 2) ** 2

    assert sorted(covering(points, 50).order.tolist()) == list(range(6))
    assert len(covering(points[:0], 50).order) == 0


def test_a_galaxy_observed_twice_comes_once() -> None:
    points = clumps()
    names = np.array([f"object {row:04d}" for row in range(len(points))])
    galaxies = np.array([f"galaxy {row // 2}" for row in range(len(points))])

    order = rank_covering(points, names, galaxies, size=100, seed=0, batch=8).order

    assert len(set(galaxies[order].tolist())) == len(order)


def test_a_batch_of_nothing_is_refused() -> None:
    with pytest.raises(InvalidInput, match="at least 1"):
        rank_covering(
            clumps()[:1], np.array(["a"]), np.array(["a"]), size=1, seed=0, batch=0
        )
