"""No text of a CSV export is a formula, and none is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from al_service.exports.spreadsheets import shield, unshield


@pytest.mark.parametrize("text", ["=cmd|x", "+1", "-1", "@SUM", "\t=1", "\r=1"])
def test_a_formula_gets_an_apostrophe(text: str) -> None:
    assert shield(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "plain", "a=b", "'quoted'", "z - 1"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert shield(text) == text == unshield(text)


@given(st.text(alphabet="'=+-@\t\rab ", max_size=6))
def test_whatever_was_shielded_comes_back(text: str) -> None:
    assert unshield(shield(text)) == text
    assert shield(text)[:1] not in {"=", "+", "-", "@", "\t", "\r"}
