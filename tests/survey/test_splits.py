"""Which objects teach and which examine."""

import numpy as np
import pytest

from al_service.survey.splits import split_of

GROUPS = [f"galaxy {number}" for number in range(5_000)]


def test_a_split_is_the_same_on_every_machine_and_for_every_member_of_a_group() -> None:
    assert [split_of(7, group) for group in ("a", "b", "c", "d", "e", "f")] == [
        split_of(7, group) for group in ("a", "b", "c", "d", "e", "f")
    ]
    assert split_of(1, "galaxy 0") == "pool"


def test_the_evaluation_share_is_met_within_its_binomial_interval() -> None:
    share = np.mean([split_of(1, group) == "evaluation" for group in GROUPS])
    assert share == pytest.approx(0.2, abs=4 * np.sqrt(0.2 * 0.8 / len(GROUPS)))


def test_another_seed_splits_otherwise() -> None:
    assert any(split_of(1, group) != split_of(2, group) for group in GROUPS)


def test_shares_of_nothing_and_everything_are_kept() -> None:
    assert split_of(1, "a", 0.0) == "pool"
    assert split_of(1, "a", 1.0) == "evaluation"
