import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from al_service.acquisition.strategies import Strategy
from tests.acquisition.skies import SmallSky, small_sky


def by_definition(sky: SmallSky, size: int) -> list[int]:
    """LCMD as Holzmueller et al. (2023) write it, all distances at once."""
    points = sky.features.astype(float)
    centers = sky.centers.astype(float)
    chosen: list[int] = []
    for _ in range(size):
        every = cdist(points, centers, "sqeuclidean")
        cluster, squared = every.argmin(axis=1), every.min(axis=1)
        squared[chosen] = 0.0
        mass = np.bincount(cluster, weights=squared, minlength=len(centers))
        members = np.flatnonzero(cluster == mass.argmax())
        row = int(members[squared[members].argmax()])
        chosen.append(row)
        centers = np.vstack([centers, points[row]])
    return chosen


@pytest.mark.parametrize("decay", [0.0, 0.8, 2.0])
def test_the_order_is_that_of_the_definition(decay: float) -> None:
    sky = small_sky(n_objects=600, dim=16, decay=decay)

    ranking = sky.rank(Strategy.LCMD, size=120, isolation=0.0)

    assert ranking.order.tolist() == by_definition(sky, 120)


def test_the_first_choice_is_the_farthest_object_of_the_heaviest_cluster() -> None:
    sky = line_of([0.0, 1.0, 1.1, 1.2, 10.0, 13.0], centers=[0.0, 10.0])

    # Cluster 0 weighs 1 + 1.21 + 1.44, cluster 10 weighs 9 though it has fewer.
    assert sky.rank(Strategy.LCMD, size=1).order.tolist() == [5]


def test_a_lone_outlier_does_not_beat_a_crowd() -> None:
    crowd = [2.0] * 50
    sky = line_of([*crowd, 110.0], centers=[0.0, 100.0])

    assert sky.features[sky.rank(Strategy.LCMD, size=1).order].item() == 2.0


def test_a_pending_object_repels_the_next_batch() -> None:
    sky = line_of([3.0, 3.1, -2.0, -2.1], centers=[0.0])
    pending = line_of([3.0, 3.1, -2.0, -2.1], centers=[0.0, 3.05])

    assert sky.rank(Strategy.LCMD, size=1).order.tolist() == [1]
    assert pending.rank(Strategy.LCMD, size=1).order.tolist() == [3]


def test_equally_good_objects_are_taken_by_object_id() -> None:
    sky = line_of([-1.0, 1.0, -1.0, 1.0], centers=[0.0])

    first = sky.rank(Strategy.LCMD, size=1).order[0]

    assert sky.object_ids[first] == min(sky.object_ids)


def test_the_order_does_not_depend_on_the_order_of_the_candidates() -> None:
    sky = small_sky(n_objects=500)
    shuffled = np.random.default_rng(0).permutation(500)
    other = SmallSky(
        features=sky.features[shuffled],
        centers=sky.centers[::-1],
        score=sky.score[shuffled],
        object_ids=sky.object_ids[shuffled],
        group_ids=sky.group_ids[shuffled],
        random_keys=sky.random_keys[shuffled],
    )

    first = sky.object_ids[sky.rank(Strategy.LCMD, size=60).order]
    second = other.object_ids[other.rank(Strategy.LCMD, size=60).order]

    assert first.tolist() == second.tolist()


def line_of(places: list[float], *, centers: list[float]) -> SmallSky:
    count = len(places)

    def column(values: list[float]) -> NDArray[np.float32]:
        return np.array(values, dtype=np.float32)[:, None]

    return SmallSky(
        features=column(places),
        centers=column(centers),
        score=np.ones(count),
        object_ids=np.array([f"object {count - row}" for row in range(count)]),
        group_ids=np.array([f"galaxy {row}" for row in range(count)]),
        random_keys=np.arange(count),
    )
