import math

import numpy as np
import pytest
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from al_service.acquisition.information import covariance_of
from al_service.acquisition.information_gain import GreedyGain
from al_service.acquisition.prediction_gain import GreedyPrediction

Floats = NDArray[np.float64]


def sky(
    n: int = 500, dim: int = 6, seed: int = 3
) -> tuple[NDArray[np.float32], Floats, NDArray[np.str_]]:
    """Candidates of unit noise, the covariance after ten labels, names."""
    generator = np.random.default_rng(seed)
    decay = np.arange(1, dim + 1) ** -0.7
    points = (generator.standard_normal((n + 10, dim)) * decay).astype(np.float32)
    points[:, -1] = 1.0
    names = generator.permutation([f"object {number:04d}" for number in range(n)])
    return points[10:], covariance_of(points[:10], prior=2.0), names


def by_definition(
    points: NDArray[np.float32], covariance: Floats, size: int, moment: Floats | None
) -> list[int]:
    """Every score anew from the inverse of the precision, without any update."""
    exact, precision = points.astype(float), np.linalg.inv(covariance)
    chosen: list[int] = []
    for _ in range(size):
        now = np.linalg.inv(precision)
        score = np.einsum("nd,de,ne->n", exact, now, exact)
        if moment is not None:
            aim = now @ moment @ now
            score = np.einsum("nd,de,ne->n", exact, aim, exact) / (1.0 + score)
        score[chosen] = -np.inf
        chosen.append(int(score.argmax()))
        precision += np.outer(exact[chosen[-1]], exact[chosen[-1]])
    return chosen


def walked(walk: GreedyGain, size: int) -> list[int]:
    rows = [walk.choose() for _ in range(size)]
    return [row for row in rows if row is not None]


def test_max_det_is_the_greedy_choice_by_its_definition() -> None:
    points, covariance, names = sky()

    found = walked(GreedyGain(points, covariance, object_ids=names), 60)

    assert found == by_definition(points, covariance, 60, None)


def test_bait_is_the_greedy_choice_by_its_definition() -> None:
    points, covariance, names = sky()
    moment = points.astype(float).T @ points.astype(float) / len(points)

    walk = GreedyGain(points, covariance, object_ids=names, moment=moment)

    assert walked(walk, 60) == by_definition(points, covariance, 60, moment)


def test_bait_lowers_the_mean_variance_more_than_max_det_does() -> None:
    points, covariance, names = sky()
    moment = points.astype(float).T @ points.astype(float) / len(points)

    def left(rows: list[int]) -> float:
        chosen = points[rows].astype(float)
        precision = np.linalg.inv(covariance) + chosen.T @ chosen
        return float(np.trace(np.linalg.inv(precision) @ moment))

    bait = walked(GreedyGain(points, covariance, object_ids=names, moment=moment), 20)
    det = walked(GreedyGain(points, covariance, object_ids=names), 20)

    assert left(bait) < left(det) < left([])


def test_max_det_gains_as_many_nats_as_its_batch_says() -> None:
    """ln det of the precision grows by Σ ln(1 + v): the batch's information gain."""
    points, covariance, names = sky()
    rows = walked(GreedyGain(points, covariance, object_ids=names), 8)
    chosen = points[rows].astype(float)
    precision = np.linalg.inv(covariance)

    total = np.linalg.slogdet(np.eye(8) + chosen @ covariance @ chosen.T)[1]

    after = np.linalg.slogdet(precision + chosen.T @ chosen)[1]
    assert total == pytest.approx(after - np.linalg.slogdet(precision)[1])


def epig_by_definition(
    points: NDArray[np.float32],
    covariance: Floats,
    aims: NDArray[np.float32],
    weights: Floats,
    size: int,
) -> list[int]:
    exact, goals = points.astype(float), aims.astype(float)
    precision = np.linalg.inv(covariance)
    chosen: list[int] = []
    for _ in range(size):
        now = np.linalg.inv(precision)
        score = np.zeros(len(exact))
        for goal, weight in zip(goals, weights / weights.sum(), strict=True):
            shared = (exact @ now @ goal) ** 2
            own = 1.0 + np.einsum("nd,de,ne->n", exact, now, exact)
            score -= 0.5 * weight * np.log(1 - shared / own / (1 + goal @ now @ goal))
        score[chosen] = -np.inf
        chosen.append(int(score.argmax()))
        precision += np.outer(exact[chosen[-1]], exact[chosen[-1]])
    return chosen


@pytest.mark.parametrize("prior", [0.05, 2.0, 50.0])
def test_epig_is_the_greedy_choice_by_its_definition(prior: float) -> None:
    """Bounds spare the logarithms of nearly all candidates and change no choice."""
    points, _, names = sky()
    covariance = covariance_of(points[:4], prior=prior)
    aims, weights = points[::10], np.linspace(0.5, 2.0, 50)

    walk = GreedyPrediction(
        points, covariance, object_ids=names, aims=aims, weights=weights
    )

    expected = epig_by_definition(points, covariance, aims, weights, 40)
    assert walked(walk, 40) == expected


def test_a_posterior_has_the_same_bits_with_any_number_of_threads() -> None:
    """Whether two threads sum in another order is for the library to choose."""
    points, covariance, names = sky(n=600, dim=200)
    moment = points.astype(float).T @ points.astype(float) / len(points)
    left: list[Floats] = []
    for threads in (1, 2):
        with threadpool_limits(threads, user_api="blas"):
            walk = GreedyGain(points, covariance, object_ids=names, moment=moment)
            walked(walk, 40)
            walk._settle()
        assert walk._aim is not None
        left.append(np.stack([walk._covariance, walk._aim]))

    assert np.array_equal(left[0], left[1])


def test_scores_between_two_guesses_are_those_of_the_posterior_of_now() -> None:
    points, covariance, names = sky()
    moment = points.astype(float).T @ points.astype(float) / len(points)
    walk = GreedyGain(points, covariance, object_ids=names, moment=moment)
    rows = np.arange(len(points))

    walked(walk, 5)
    assert len(walk._pending) == 5
    pending = walk._scores(rows, fixed_order=True)
    walk._settle()

    np.testing.assert_allclose(
        walk._scores(rows, fixed_order=True), pending, rtol=1e-9, atol=1e-12
    )


def test_epig_of_a_label_of_the_very_object_is_known_in_closed_form() -> None:
    """x = x*: ρ = v/(1 + v), so that v = 1 gives −½ ln(3/4) nats."""
    point = np.array([[1.0]], dtype=np.float32)
    walk = GreedyPrediction(
        point,
        np.ones((1, 1)),
        object_ids=np.array(["a"]),
        aims=point,
        weights=np.ones(1),
    )

    (score,) = walk._scores(np.array([0]), fixed_order=True)

    assert score == pytest.approx(-0.5 * math.log(0.75))


def test_epig_goes_where_the_interest_lies() -> None:
    generator = np.random.default_rng(0)
    points = np.zeros((40, 2), dtype=np.float32)
    points[:20, 0] = points[20:, 1] = 1.0
    points += 0.01 * generator.standard_normal(points.shape).astype(np.float32)
    names = np.array([f"{row:02d}" for row in range(40)])
    aims = np.eye(2, dtype=np.float32)

    for side, weights in enumerate(([5.0, 1.0], [1.0, 5.0])):
        walk = GreedyPrediction(
            points,
            np.eye(2),
            object_ids=names,
            aims=aims,
            weights=np.array(weights),
        )
        first = walk.choose()
        assert first is not None
        assert first // 20 == side


def test_equal_objects_are_told_apart_by_name() -> None:
    points = np.ones((5, 3), dtype=np.float32)
    names = np.array(["e", "c", "a", "d", "b"])

    walk = GreedyGain(points, np.eye(3), object_ids=names)

    assert walked(walk, 5) == [2, 4, 1, 3, 0]


def test_a_label_without_information_is_never_asked_for() -> None:
    points = np.zeros((3, 2), dtype=np.float32)
    points[1] = 1.0

    walk = GreedyGain(points, np.eye(2), object_ids=np.array(["a", "b", "c"]))

    assert walked(walk, 3) == [1]


def test_retired_objects_are_passed_over() -> None:
    points, covariance, names = sky()
    first = walked(GreedyGain(points, covariance, object_ids=names), 3)
    walk = GreedyGain(points, covariance, object_ids=names)

    walk.retire(np.array(first))

    assert not set(walked(walk, 20)) & set(first)
