import numpy as np
from numpy.typing import NDArray

from al_service.acquisition.cold_start import rank_typical
from al_service.acquisition.ranking import Ranking

N_CLUMPS = 5


def clumps(seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Five clumps of falling size, far apart, and ten stragglers far from all."""
    generator = np.random.default_rng(seed)
    sizes = [200, 150, 100, 80, 60]
    middle = np.eye(N_CLUMPS) * 30.0
    clump = np.repeat(np.arange(N_CLUMPS), sizes)
    points = middle[clump] + generator.standard_normal((len(clump), N_CLUMPS))
    stragglers = 80.0 * generator.standard_normal((10, N_CLUMPS))
    return np.vstack([points, stragglers]), np.concatenate([clump, [-1] * 10])


def typical(points: NDArray[np.float64], *, size: int, batch: int) -> Ranking:
    names = np.array([f"object {row:04d}" for row in range(len(points))])
    return rank_typical(points, names, names, size=size, seed=3, batch=batch)


def test_a_first_batch_covers_the_clumps_with_typical_members() -> None:
    points, clump = clumps()

    order = typical(points, size=15, batch=15).order

    assert set(range(N_CLUMPS)) <= set(clump[order].tolist())
    largest = np.flatnonzero(clump == 0)
    mine = [row for row in order if clump[row] == 0]
    offset = np.linalg.norm(points - points[largest].mean(axis=0), axis=1)
    assert min(offset[mine]) < np.median(offset[largest])


def test_stragglers_come_after_the_clumps() -> None:
    points, clump = clumps()

    order = typical(points, size=30, batch=15).order

    assert (clump[order[:N_CLUMPS]] >= 0).all()


def test_the_same_seed_gives_the_same_order_and_objects_come_once() -> None:
    points, _ = clumps()

    first, second = (typical(points, size=120, batch=20) for _ in range(2))

    assert first.order.tobytes() == second.order.tobytes()
    assert len(set(first.order.tolist())) == len(first.order) == 120
    assert first.reason == "cold_start"
    assert not first.score.any()


def test_the_order_does_not_depend_on_the_order_of_the_pool() -> None:
    points, _ = clumps()
    names = np.array([f"object {row:04d}" for row in range(len(points))])
    shuffled = np.random.default_rng(5).permutation(len(points))

    straight = rank_typical(points, names, names, size=40, seed=3, batch=20)
    other = rank_typical(
        points[shuffled], names[shuffled], names[shuffled], size=40, seed=3, batch=20
    )

    assert names[straight.order].tolist() == names[shuffled][other.order].tolist()


def test_a_galaxy_observed_twice_comes_once() -> None:
    points, _ = clumps()
    names = np.array([f"object {row:04d}" for row in range(len(points))])
    galaxies = np.array([f"galaxy {row // 2}" for row in range(len(points))])

    order = rank_typical(points, names, galaxies, size=500, seed=3, batch=20).order

    assert len(set(galaxies[order].tolist())) == len(order) == len(points) // 2


def test_a_tiny_or_uniform_pool_is_ranked_whole() -> None:
    assert len(typical(np.zeros((7, 3)), size=20, batch=5).order) >= 1
    assert sorted(typical(np.eye(4), size=20, batch=50).order.tolist()) == [0, 1, 2, 3]
