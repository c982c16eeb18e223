import numpy as np
import pytest
from scipy.spatial.distance import cdist

from al_service.acquisition.distances import nearest_center, squared_distances
from tests.acquisition.skies import small_sky


def test_the_nearest_center_is_the_one_that_all_distances_show() -> None:
    sky = small_sky(n_objects=3000, n_centers=150, dim=32)

    nearest = nearest_center(sky.features, sky.centers)

    every = cdist(sky.features.astype(float), sky.centers.astype(float), "sqeuclidean")
    assert nearest.center.tolist() == every.argmin(axis=1).tolist()
    # The products are float32, the distance is not.
    assert nearest.squared == pytest.approx(every.min(axis=1), rel=1e-12)


def test_features_far_from_the_origin_keep_exact_distances() -> None:
    sky = small_sky(n_objects=200, n_centers=1, dim=16)

    nearest = nearest_center(sky.features + 100, sky.centers + 100)

    difference = (sky.features + np.float32(100)).astype(float) - (
        sky.centers + np.float32(100)
    ).astype(float)
    assert nearest.squared == pytest.approx((difference**2).sum(axis=1), rel=1e-12)


def test_an_object_is_at_distance_zero_from_itself() -> None:
    sky = small_sky(n_objects=50)

    squared = squared_distances(sky.features, sky.features, np.arange(50))

    assert squared.tolist() == [0.0] * 50


def test_centers_too_near_for_float32_are_told_apart() -> None:
    generator = np.random.default_rng(0)
    centers = generator.normal(100.0, 1.0, (50, 8)).astype(np.float32)
    features = np.repeat(centers, 4, axis=0)
    features += generator.normal(0.0, 1e-3, features.shape).astype(np.float32)
    twins = np.concatenate([centers[::-1], centers])
    every = cdist(features.astype(float), twins.astype(float), "sqeuclidean")
    assert (nearest_center(features, twins).center == every.argmin(axis=1)).all()
