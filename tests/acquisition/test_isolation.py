"""Who stands alone: against the definition, object by object."""

import numpy as np
import pytest
from numpy.typing import NDArray

from al_service.acquisition.isolation import NEIGHBORS, Scaled, isolated

N, D = 3000, 6


def crowd(seed: int = 0) -> NDArray[np.float32]:
    """Objects with long tails: some stand alone, at every distance."""
    generator = np.random.default_rng(seed)
    return generator.standard_t(2.0, (N, D)).astype(np.float32)


def everybody(features: NDArray[np.float32], scale: float = 1.0) -> Scaled:
    rows = np.arange(len(features))
    return Scaled(features, rows, np.full(features.shape[1], scale, dtype=np.float32))


def by_definition(features: NDArray[np.float32], beyond: float) -> NDArray[np.bool_]:
    """Distances to the tenth other object, all of them."""
    differences = features[:, None].astype(np.float64) - features[None]
    distance = np.sort((differences**2).sum(axis=2), axis=1)[:, NEIGHBORS]
    typical = np.median(distance[np.linspace(0, len(features) - 1, 1000).astype(int)])
    return np.asarray(distance > beyond**2 * typical)


@pytest.mark.parametrize("beyond", [2.0, 4.0, 8.0])
def test_those_stand_alone_whose_tenth_neighbor_is_far(beyond: float) -> None:
    features = crowd()[:1000]
    expected = by_definition(features, beyond)
    assert 0 < expected.sum() < 200
    np.testing.assert_array_equal(isolated(everybody(features), beyond), expected)


def test_eleven_of_a_kind_keep_company_and_ten_do_not() -> None:
    features = np.random.default_rng(1).standard_normal((N, D)).astype(np.float32)
    features[:11] = 500.0
    features[11:21] = -500.0
    found = isolated(everybody(features), 6.0)
    assert not found[:11].any()
    assert found[11:21].all()
    assert not found[21:].any()


def test_units_do_not_matter() -> None:
    features = crowd()
    np.testing.assert_array_equal(
        isolated(everybody(features), 4.0), isolated(everybody(features, 8.0), 4.0)
    )


def test_few_objects_and_equal_ones_are_never_alone() -> None:
    assert not isolated(everybody(crowd()[:NEIGHBORS]), 2.0).any()
    assert not isolated(everybody(np.ones((50, D), dtype=np.float32)), 2.0).any()
