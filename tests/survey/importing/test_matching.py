"""Which object a position or a name belongs to."""

import numpy as np

from al_service.survey.importing.matching import by_id, nearest, normal_id, rows_named
from al_service.survey.pool_writer import ABSENT


def test_the_nearest_object_is_found_in_whatever_part_it_is() -> None:
    drawn = np.random.default_rng(0)
    ra, dec = drawn.uniform(0, 0.1, 500), drawn.uniform(0, 0.1, 500)
    here = ra[:40] + drawn.normal(0, 1e-3, 40), dec[:40] + drawn.normal(0, 1e-3, 40)
    whole = nearest(*here, [(ra, dec)], radius_arcsec=5)
    parts = [(ra[k : k + 37], dec[k : k + 37]) for k in range(0, 500, 37)]
    assert nearest(*here, parts, radius_arcsec=5).tolist() == whole.tolist()
    # Flat enough for Pythagoras, near the equator.
    away = np.hypot(here[0][:, None] - ra, here[1][:, None] - dec) * 3600
    expected = np.where(away.min(axis=1) <= 5, away.argmin(axis=1), ABSENT)
    assert whole.tolist() == expected.tolist()
    assert ABSENT in expected
    assert len(set(expected.tolist())) > 20


def test_nothing_is_near_nothing() -> None:
    nothing, one = np.zeros(0), np.zeros(1)
    assert nearest(one, one, [], radius_arcsec=1).tolist() == [ABSENT]
    assert nearest(one, one, [(nothing, nothing)], radius_arcsec=1).tolist() == [ABSENT]
    assert nearest(nothing, nothing, [(one, one)], radius_arcsec=1).tolist() == []


def test_names_are_compared_without_leading_zeros_and_the_first_counts() -> None:
    names = [(normal_id("0266-51630-0168"), "7"), ("x", "7"), ("x",)]
    wanted = {name for those in names for name in those}
    rows = rows_named(wanted, ["7", None, "266-51630-168", "other"])
    assert rows == {"7": 0, "266-51630-168": 2}
    assert by_id(names, rows).tolist() == [2, 0, ABSENT]
