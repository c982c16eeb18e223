import numpy as np

from al_service.studies.speed.crowded_sky import crowded_sky
from al_service.studies.speed.order import bare_distances, plain_walk
from al_service.studies.speed.variance import bare_products


def test_features_are_whitened_and_the_same_for_the_same_seed() -> None:
    sky = crowded_sky(4000, 500, 16, seed=1)
    again = crowded_sky(4000, 500, 16, seed=1)
    np.testing.assert_array_equal(sky.features.phi, again.features.phi)
    covariance = np.cov(sky.features.phi.T)
    np.testing.assert_allclose(covariance, np.eye(16), atol=0.02)
    assert (len(sky.unlabeled), len(sky.labeled)) == (4000, 500)


def test_the_peers_do_the_work_that_they_are_named_after() -> None:
    sky = crowded_sky(300, 40, 8)
    points, known = sky.unlabeled.astype(float), sky.labeled.astype(float)
    squared = ((points[:, None] - known[None]) ** 2).sum(axis=2)
    np.testing.assert_allclose(
        bare_distances(sky.unlabeled, sky.labeled), squared.min(axis=1), atol=1e-4
    )
    factors = np.stack([np.eye(8, dtype=np.float32)] * 2)
    assert bare_products(sky.unlabeled, factors) == sky.unlabeled[0, 0]


def test_the_plain_walk_takes_the_farthest_of_the_heaviest_cluster_first() -> None:
    centers = np.array([[0.0], [100.0]], dtype=np.float32)
    pool = np.array([[3.0], [1.0], [99.0], [102.0]], dtype=np.float32)
    # Masses 9 + 1 and 1 + 4: first 3.0; then the cluster of 100 is heavier (5 > 1).
    assert plain_walk(pool, centers, 3).tolist() == [0, 3, 1]
