import numpy as np
import pytest

from al_service.acquisition.ranking import (
    check_candidates,
    highest_first,
    one_per_galaxy,
    unblocked,
)
from al_service.errors import InvalidInput

NAMES = np.array(["d", "c", "b", "a"])


def test_the_highest_score_comes_first() -> None:
    rows = highest_first(np.array([0.1, 0.4, 0.2, 0.3]), NAMES, 4)

    assert rows.tolist() == [1, 3, 2, 0]


def test_equal_scores_are_ordered_by_object_id() -> None:
    rows = highest_first(np.array([0.5, 0.5, 0.9, 0.5]), NAMES, 4)

    assert NAMES[rows].tolist() == ["b", "a", "c", "d"]


def test_a_tie_across_the_cut_is_decided_by_object_id_too() -> None:
    rows = highest_first(np.full(4, 0.5), NAMES, 2)

    assert NAMES[rows].tolist() == ["a", "b"]


def test_a_longer_ranking_begins_with_the_shorter_one() -> None:
    generator = np.random.default_rng(3)
    score = np.round(generator.random(500), 2)  # many ties
    names = generator.permutation([f"object {number:03d}" for number in range(500)])

    whole = highest_first(score, names, 500)

    for size in (1, 17, 250, 499):
        assert highest_first(score, names, size).tolist() == whole[:size].tolist()


def test_a_score_that_is_no_number_is_refused_with_the_object() -> None:
    with pytest.raises(InvalidInput, match=r"nan for object b \(1 such"):
        check_candidates(np.array([0.0, 1.0, np.nan, 1.0]), NAMES, NAMES)


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(InvalidInput, match="got 3, 4 and 4"):
        check_candidates(np.zeros(3), NAMES, NAMES)


def test_a_blocked_galaxy_blocks_all_its_observations() -> None:
    groups = np.array(["x", "y", "x", "z"])

    assert unblocked(groups, {"x"}).tolist() == [False, True, False, True]


def test_a_galaxy_is_kept_at_its_first_appearance_only() -> None:
    groups = np.array(["x", "y", "x", "z"])

    kept = one_per_galaxy(np.array([2, 0, 3, 1]), groups, size=10)

    assert kept.tolist() == [2, 3, 1]
