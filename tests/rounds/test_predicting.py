import json

import numpy as np
import pytest

from al_service.posterior.predictions import Predictions
from al_service.rounds.predicting import predictions_json

ALL = np.ones((2, 2), dtype=bool)


def predictions(first_center: float = 0.1) -> Predictions:
    return Predictions(
        ("z", "sfr_avg"),
        np.array([1, 1]),
        center=np.array([[first_center, -1.25], [0.2, 0.5]]),
        epistemic_spread=np.array([[1e-9, 0.5], [0.03, 0.25]]),
        aleatoric_spread=np.array([[0.02, 2.0], [0.02, 1e12]]),
    )


def test_a_row_is_written_with_the_numbers_that_the_model_says() -> None:
    said = predictions()
    low, high = said.interval(90)
    for row, text in enumerate(predictions_json(said, ALL)):
        for at, target in enumerate(said.targets):
            written = json.loads(text)[target]
            assert written["mean"] == pytest.approx(said.mean[row, at], rel=1e-8)
            assert written["epistemic"] == pytest.approx(
                said.epistemic[row, at], rel=1e-8
            )
            assert written["aleatoric"] == pytest.approx(
                said.aleatoric[row, at], rel=1e-8
            )
            assert written["interval90"] == pytest.approx(
                [low[row, at], high[row, at]], rel=1e-8
            )
            assert written["calibrated"] is False


def test_a_target_whose_numbers_overflow_is_left_out_of_its_row_alone() -> None:
    said = predictions(1e6)  # z = e^1000000
    with np.errstate(over="ignore"):
        first, second = map(json.loads, predictions_json(said, ALL))
    assert set(first) == {"sfr_avg"}
    assert set(second) == {"z", "sfr_avg"}


def test_a_target_of_which_nobody_has_told_a_label_is_left_out() -> None:
    informed = np.array([[True, False], [False, False]])
    first, second = map(json.loads, predictions_json(predictions(), informed))
    assert (set(first), set(second)) == ({"z"}, set())


def test_what_a_spectrum_would_save_stands_with_those_that_lack_one() -> None:
    saved = np.array([[0.015, 0.25], [np.nan, np.nan]])
    lacking, having = map(json.loads, predictions_json(predictions(), ALL, saved))
    assert lacking["z"]["spectrum_saves"] == 0.015
    assert lacking["sfr_avg"]["spectrum_saves"] == 0.25
    assert lacking["z"]["interval90"] == pytest.approx(
        [ends[0, 0] for ends in predictions().interval(90)], rel=1e-8
    )
    assert "spectrum_saves" not in having["z"]
