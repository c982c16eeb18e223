"""Which objects are one galaxy."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from al_service.survey.importing import galaxies
from al_service.survey.importing.galaxies import joined_names, near_pairs
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


def as_set(pairs: NDArray[Any]) -> set[frozenset[int]]:
    return {frozenset(pair) for pair in pairs.tolist()}


@pytest.mark.parametrize("sky", [crowded(), one_declination()])
@pytest.mark.parametrize("strip", [1, 100, 5000])
def test_strips_find_every_pair_that_one_tree_of_the_whole_sky_finds(
    monkeypatch: pytest.MonkeyPatch, sky: tuple[Floats, Floats], strip: int
) -> None:
    monkeypatch.setattr(galaxies, "STRIP", strip)
    tree = cKDTree(unit_vectors(*sky))
    expected = as_set(tree.query_pairs(chord(RADIUS), output_type="ndarray"))
    found = [*near_pairs(*sky, RADIUS)]
    assert len(expected) > 100
    assert as_set(np.concatenate(found)) == expected
    assert sum(map(len, found)) == len(expected), "each once"


def test_objects_of_one_declination_are_in_two_trees_at_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(galaxies, "STRIP", 10)
    _, dec = one_declination()
    strips = [*galaxies._strips(dec, np.argsort(dec), 1e-3)]
    assert sum(end - start for start, _, end in strips) <= 2 * len(dec)


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
