import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from al_service.acquisition.spreading import Spreading, posterior_scaled


def names_of(count: int) -> NDArray[np.str_]:
    return np.array([f"object {row:05d}" for row in range(count)])


def draws(points: NDArray[np.floating], size: int, seed: int) -> list[int]:
    walk = Spreading(
        points.astype(np.float32), object_ids=names_of(len(points)), seed=seed
    )
    found = [walk.choose() for _ in range(size)]
    return [row for row in found if row is not None]


def test_posterior_scaled_lengths_are_epistemic_over_noise() -> None:
    generator = np.random.default_rng(1)
    root = generator.standard_normal((4, 4))
    points = generator.standard_normal((30, 4)).astype(np.float32)

    scaled = posterior_scaled(points, root @ root.T)

    expected = np.einsum("nd,de,ne->n", points, root @ root.T, points)
    np.testing.assert_allclose((scaled**2).sum(axis=1), expected, rtol=1e-4)


def test_the_number_of_threads_changes_no_bit() -> None:
    generator = np.random.default_rng(0)
    root = generator.standard_normal((257, 257))
    covariance = root @ root.T
    points = generator.standard_normal((300, 257)).astype(np.float32)
    scaled = []
    for threads in (1, 2):
        with threadpool_limits(threads, user_api="blas"):
            scaled.append(posterior_scaled(points, covariance))

    assert scaled[0].tobytes() == scaled[1].tobytes()


def test_first_draws_follow_the_variance() -> None:
    points = np.array([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]])

    first = [draws(points, 1, seed)[0] for seed in range(2000)]

    share = np.bincount(first, minlength=3) / 2000
    np.testing.assert_allclose(share, [0.2, 0.8, 0.0], atol=0.03)


def test_second_draws_follow_the_distance_to_the_first_and_to_zero() -> None:
    """Rejection gives the distribution of k-means++ itself, not of old distances."""
    points = np.array([[3.0, 0.0], [3.0, 0.5], [0.0, 1.0], [-2.0, 0.0]])
    second = [
        pair[1] for seed in range(6000) if (pair := draws(points, 2, seed))[0] == 0
    ]

    share = np.bincount(second, minlength=4) / len(second)

    weights = np.array([0.0, 0.25, 1.0, 4.0])
    np.testing.assert_allclose(share, weights / weights.sum(), atol=0.03)


def test_nothing_is_drawn_twice_and_the_walk_ends_where_nothing_is_left() -> None:
    points = np.random.default_rng(2).standard_normal((50, 3))

    found = draws(np.concatenate([points, points[:5]]), 60, seed=4)

    assert len(set(found)) == len(found) == 50


def test_the_order_of_the_database_does_not_matter() -> None:
    generator = np.random.default_rng(5)
    points = generator.standard_normal((200, 4)).astype(np.float32)
    names, mixed = names_of(200), generator.permutation(200)

    straight = Spreading(points, object_ids=names, seed=9)
    shuffled = Spreading(points[mixed], object_ids=names[mixed], seed=9)

    first = [straight.choose() for _ in range(50)]
    assert [int(mixed[shuffled.choose() or 0]) for _ in range(50)] == first


def test_retired_objects_are_not_drawn() -> None:
    points = np.random.default_rng(2).standard_normal((20, 3)).astype(np.float32)
    walk = Spreading(points, object_ids=names_of(20), seed=1)
    first = walk.choose()
    walk.retire(np.arange(10))

    found = [walk.choose() for _ in range(12)]

    assert first is not None
    assert all(row is None or row >= 10 for row in found)
