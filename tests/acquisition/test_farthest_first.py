import numpy as np

from al_service.acquisition.distances import nearest_center
from al_service.acquisition.farthest_first import FarthestFirst


def test_the_walk_is_the_one_of_the_definition() -> None:
    generator = np.random.default_rng(3)
    points = generator.standard_normal((600, 5)).astype(np.float32)
    centers = generator.standard_normal((4, 5)).astype(np.float32)
    names = np.array([f"{row:03d}" for row in range(600)])
    walk = FarthestFirst(points, nearest_center(points, centers), object_ids=names)

    found = [walk.choose() for _ in range(80)]

    known = centers.astype(float)
    for row in found:
        squared = ((points[:, None].astype(float) - known[None]) ** 2).sum(axis=2)
        assert row == int(squared.min(axis=1).argmax())
        known = np.concatenate([known, points[row : row + 1].astype(float)])


def test_equally_far_objects_are_told_apart_by_name_and_the_end_is_the_end() -> None:
    points = np.array([[1.0], [-1.0], [0.0]], dtype=np.float32)
    centers = np.zeros((1, 1), dtype=np.float32)
    walk = FarthestFirst(
        points, nearest_center(points, centers), object_ids=np.array(["b", "a", "c"])
    )

    assert [walk.choose() for _ in range(3)] == [1, 0, None]
