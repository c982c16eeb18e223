"""Names and groups of objects by their place on the sky."""

import numpy as np

from al_service.survey.positions import group_by_position, position_names

ARCSEC = 1.0 / 3600.0


def test_a_position_name_is_truncated_and_never_rounded() -> None:
    # 8h 8m 20.79888s, 36d 11' 48.6764": rounding would give 20.80 and 48.7.
    (name,) = position_names(np.array([122.086662]), np.array([36.19685417685775]))
    assert name == "SDSS J080820.79+361148.6"


def test_southern_positions_near_the_equator_keep_their_sign() -> None:
    names = position_names(np.array([0.0, 359.999999]), np.array([-0.0001, 0.0]))
    assert list(names) == ["SDSS J000000.00-000000.3", "SDSS J235959.99+000000.0"]


def test_repeat_observations_share_the_group_of_the_alphabetically_first() -> None:
    ra = np.array([10.0, 10.0 + 0.5 * ARCSEC, 10.0 + 1.2 * ARCSEC, 50.0])
    groups = group_by_position(["c", "b", "a", "d"], ra, np.zeros(4))
    # The first and the third are 1.2" apart, but the second links them.
    assert list(groups) == ["a", "a", "a", "d"]


def test_neighbors_beyond_the_radius_are_two_galaxies() -> None:
    groups = group_by_position(
        ["a", "b"], np.array([10.0, 10.0 + 1.5 * ARCSEC]), np.zeros(2)
    )
    assert list(groups) == ["a", "b"]


def test_groups_reach_across_right_ascension_zero() -> None:
    ra = np.array([359.9999, 0.00005])
    assert list(group_by_position(["a", "b"], ra, np.zeros(2))) == ["a", "a"]
