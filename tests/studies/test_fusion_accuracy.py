"""The study of fusion runs, and its figures are what they say."""

import numpy as np
import pytest

from al_service.studies.fusion_accuracy import measure_fusion
from al_service.studies.fusion_asked import Answer, answers_of, lines_of_answers
from al_service.studies.fusion_findings import (
    SYSTEMS,
    Finding,
    Question,
    participation_ratio,
)
from tests.studies.experiment.skies import simulated_sky, small_settings

SETTINGS = small_settings(systems=SYSTEMS, n_train=64, n_validation=16, n_test=24)


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> list[Answer]:
    folder = tmp_path_factory.mktemp("fusion")
    return measure_fusion(simulated_sky(folder / "pool", 128), SETTINGS, folder)


def test_every_question_is_answered_for_every_target_and_pattern(
    answers: list[Answer],
) -> None:
    subjects = {
        question: [one.subject for one in answers if one.question is question]
        for question in Question
    }
    assert all(subjects.values())
    assert len(subjects[Question.EVERY]) == 9
    assert len(subjects[Question.LACKING]) == 2 * 9
    assert len(subjects[Question.LEFT]) == 3 * 9
    assert len(subjects[Question.COVERAGE]) == 7 * 9 * 2
    assert all(np.isfinite(one.mean) for one in answers)


def test_where_a_scan_is_believed_fusion_says_the_same(answers: list[Answer]) -> None:
    (scanned,) = (one for one in answers if one.question is Question.SCANNED)
    assert scanned.mean == pytest.approx(1.0, rel=1e-3)


def test_a_line_shows_the_worst_subject_and_how_many_keep_the_limit() -> None:
    """Two seeds: one target within 1.02 in the mean, the other not."""
    seeds = [
        [
            Finding(Question.EVERY, "z", 1.00 + step, 0.5),
            Finding(Question.EVERY, "sfr_avg", 1.04 + step, 0.7),
        ]
        for step in (0.0, 0.02)
    ]

    _, line = lines_of_answers(answers_of(seeds))

    assert line.split()[-6:] == ["1", "of", "2", "within,", "worst:", "sfr_avg"]
    assert "1.02    1.050   0.014    0.700" in line


def test_too_much_coverage_is_as_wrong_as_too_little() -> None:
    def answer(value: float) -> Answer:
        (one,) = answers_of([[Finding(Question.COVERAGE, "z, image, 68 %", value)]])
        return one

    assert answer(0.019).kept
    assert not answer(0.021).kept
    assert not answer(-0.021).kept


def test_equal_directions_all_count_and_copies_of_one_count_once() -> None:
    corners = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    assert participation_ratio(corners) == pytest.approx(2.0)
    assert participation_ratio(corners[:, [0, 0]]) == pytest.approx(1.0)
