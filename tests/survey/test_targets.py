"""What a label may say."""

import math

import pytest

from al_service.survey.targets import (
    DEFAULT_TARGETS,
    UNITS,
    check_values,
    is_missing,
)

SORTED = {
    "sfr_p2p5": -1.0,
    "sfr_p16": -0.5,
    "sfr_median": 0.0,
    "sfr_p84": 0.4,
    "sfr_p97p5": 0.8,
}


def test_there_are_nine_targets_and_every_one_has_a_unit() -> None:
    assert len(DEFAULT_TARGETS) == 9
    assert DEFAULT_TARGETS[0] == "z"
    assert set(UNITS) == set(DEFAULT_TARGETS)
    assert UNITS["z"] == ""
    assert UNITS["sfr_median"] == "log(Msun/yr)"


def test_a_sound_label_has_no_problems_and_neither_has_an_empty_one() -> None:
    assert check_values({"z": 0.1, **SORTED}) == []
    assert check_values({}) == []


@pytest.mark.parametrize(
    ("target", "value", "says"),
    [
        ("z", 8.5, "expected a value in [-0.01, 8.0]"),
        ("z", -0.02, "expected a value in [-0.01, 8.0]"),
        ("sfr_median", 4.1, "expected a value in [-6.0, 4.0]"),
        ("sfr_avg", math.inf, "expected a value in"),
        ("z", math.nan, "missing"),
        ("sfr_avg", -99.9, "missing"),
        ("sfr_avg", -9999.0, "missing"),
        ("sfr_entropy", -1.0, "missing"),
        ("redshift", 0.1, "unknown target 'redshift'"),
    ],
)
def test_a_value_that_cannot_be_is_named_with_what_was_expected(
    target: str, value: float, says: str
) -> None:
    (problem,) = check_values({target: value})
    assert says in problem
    assert target in problem


def test_unsorted_quantiles_are_refused_also_across_an_absent_one() -> None:
    (problem,) = check_values({"sfr_p2p5": 0.5, "sfr_median": 0.0})
    assert "must ascend" in problem
    assert check_values({**SORTED, "sfr_p84": -0.1}) != []


def test_equal_quantiles_are_sorted() -> None:
    assert check_values(dict.fromkeys(SORTED, 0.3)) == []


def test_a_missing_code_is_recognized_after_a_trip_through_float32() -> None:
    assert is_missing("sfr_avg", -99.90000152587890625)
    assert is_missing("sfr_entropy", -1.0)
    assert not is_missing("sfr_avg", -1.0)
    assert not is_missing("z", 0.0)
