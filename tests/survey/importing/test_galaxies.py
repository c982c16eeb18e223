"""Which objects are one galaxy."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from al_service.survey.importing import galaxies
from al_service.survey.importing.galaxies import joined_names, near_links
from al_service.survey.importing.matching import chord, unit_vectors

RADIUS = 30.0
"""Arcseconds."""

Floats = NDArray[np.float64]


def crowded(n: int = 3000) -> tuple[Floats, Floats]:
    """Objects around both poles, around 0° of right ascension, and elsewhere."""
    drawn = np.random.default_rng(0)
    ra, dec = drawn.uniform(0, 360, n), drawn.uniform(-0.3, 0.3, n)
    dec[: n // 4] = 90 - drawn.uniform(0, 0.3, n // 4)
    dec[n // 4 : n // 2] = -90 + drawn.uniform(0, 0.3, n // 4)
    ra[n // 2 :] = drawn.uniform(-0.3, 0.3, n - n // 2) % 360
    return ra, dec


def one_declination(n: int = 3000) -> tuple[Floats, Floats]:
    return np.random.default_rng(0).uniform(0, 20, n), np.full(n, 12.0)


def crowds(n: int = 3000) -> tuple[Floats, Floats]:
    """Thirty objects at each place, some places within the radius of each other."""
    drawn = np.random.default_rng(0)
    ra, dec = drawn.uniform(0, 360, n // 30), drawn.uniform(89.8, 90, n // 30)
    order = drawn.permutation(n)
    return np.repeat(ra, 30)[order], np.repeat(dec, 30)[order]


def components(n: int, pairs: NDArray[Any]) -> list[int]:
    """The first object of each one's component."""
    graph = coo_matrix((np.ones(len(pairs)), pairs.T), shape=(n, n))
    _, component = connected_components(graph, directed=False)
    _, first = np.unique(component, return_index=True)
    return list(first[component].tolist())


@pytest.mark.parametrize("sky", [crowded(), one_declination(), crowds()])
@pytest.mark.parametrize("strip", [1, 100, 5000])
def test_strips_join_what_one_tree_of_the_whole_sky_joins(
    monkeypatch: pytest.MonkeyPatch, sky: tuple[Floats, Floats], strip: int
) -> None:
    monkeypatch.setattr(galaxies, "STRIP", strip)
    n = len(sky[0])
    tree = cKDTree(unit_vectors(*sky))
    pairs = tree.query_pairs(chord(RADIUS), output_type="ndarray")
    expected = components(n, pairs)
    assert len(pairs) > 100
    assert 1 < len(set(expected)) < n
    found = np.concatenate([*near_links(*sky, RADIUS)])
    assert components(n, found) == expected


def test_a_crowd_at_one_place_takes_one_link_an_object() -> None:
    """All pairs once took 2.3 GB and a minute for 4,000 rows without a position."""
    ra, dec = np.zeros(30_000), np.zeros(30_000)
    links = np.concatenate([*near_links(ra, dec, RADIUS)])
    assert len(links) == len(ra) - 1
    assert len({*components(len(ra), links)}) == 1


def test_objects_of_one_declination_are_in_two_trees_at_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(galaxies, "STRIP", 10)
    _, dec = one_declination()
    strips = [*galaxies._strips(dec, np.argsort(dec), 1e-3)]
    assert sum(end - start for start, end in strips) <= 2 * len(dec)


def test_chains_links_and_names_are_joined_and_the_first_name_leads() -> None:
    names = ["ä", "c", "b", "e", "d", "e"]
    ra = np.array([10.0, 10.0, 10.0, 50.0, 60.0, 70.0])
    dec = np.array([0.0, 0.9, 1.8, 0.0, 0.0, 0.0]) / 3600
    joined = joined_names(
        ra,
        dec,
        lambda rows: [names[row] for row in rows.tolist()],
        radius_arcsec=1.0,
        links=[(4, 5)],
    )
    # "e" of the fourth object is the galaxy of the last, which is linked with "d".
    encoded = np.array([name.encode() for name in [*names, "z"]])
    groups = [name.decode() for name in joined.groups_of(encoded).tolist()]
    assert groups == ["b", "b", "b", "d", "d", "d", "z"]
    assert joined.n_galaxies == 2


def test_objects_that_all_stand_alone_are_their_own_galaxies() -> None:
    joined = joined_names(
        np.array([1.0, 2.0]), np.zeros(2), lambda _: [], radius_arcsec=1.0
    )
    names = np.array([b"a", b"b"])
    assert joined.groups_of(names).tolist() == [b"a", b"b"]
    assert joined.n_galaxies == 0
