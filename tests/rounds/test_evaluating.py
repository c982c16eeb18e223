from pathlib import Path

import numpy as np
import pytest

from al_service.posterior.predictions import Predictions
from al_service.rounds.artifacts import Artifacts
from al_service.rounds.evaluating import (
    Baseline,
    Examination,
    Verdict,
    curve_points,
    examine,
    judge,
    save_examination,
)
from al_service.rounds.training_data import EvaluationSet
from db.base import JsonObject
from db.vocabulary import Arm

N_OBJECTS = 300
BEST, NEW = 1, 2
FENCE = 2


@pytest.fixture
def artifacts(tmp_path: Path) -> Artifacts:
    return Artifacts(tmp_path)


def evaluation(
    n_objects: int = N_OBJECTS, *, n_labels: int | None = None
) -> EvaluationSet:
    """Objects whose true redshift is 0.1 plus unit noise of 0.02."""
    names = np.array([f"object {number}" for number in range(n_objects)])
    values = 0.1 + 0.02 * np.random.default_rng(1).standard_normal((n_objects, 1))
    if n_labels is not None:
        values[n_labels:] = np.nan
    return EvaluationSet(
        sky_object_ids=np.arange(n_objects),
        rows=np.arange(n_objects),
        object_ids=names,
        group_ids=names,
        values=values,
        asked_for=True,
    )


def said(examiners: EvaluationSet, *, error: float, spread: float) -> Predictions:
    """Predictions that miss the truth by `error` and admit `spread`, in log(1 + z)."""
    noise = np.random.default_rng(2).standard_normal((len(examiners), 1))
    truth = np.nan_to_num(examiners.values, nan=0.1)
    return Predictions(
        ("z",),
        np.ones(len(examiners), dtype=np.int64),
        np.log1p(truth) + error * noise,
        np.full((len(examiners), 1), spread / 2),
        np.full((len(examiners), 1), spread),
    )


def examined(
    examiners: EvaluationSet, *, error: float = 0.01, spread: float = 0.01
) -> Examination:
    return examine(said(examiners, error=error, spread=spread), examiners, seed=0)


def save(
    artifacts: Artifacts,
    examination: Examination,
    *,
    fence: int = FENCE,
    label_digest: str = "of our campaign",
) -> JsonObject:
    return save_examination(
        artifacts,
        examination,
        run_id=BEST,
        fence=fence,
        identity={"label_digest": label_digest, "seed": 1},
    )


def judged(
    artifacts: Artifacts, examination: Examination, best_so_far: JsonObject | None
) -> Verdict:
    return judge(
        artifacts,
        examination,
        run_id=NEW,
        baseline=Baseline(BEST, best_so_far),
        seed=0,
    )


def test_the_first_run_passes(artifacts: Artifacts) -> None:
    verdict = judge(
        artifacts, examined(evaluation()), run_id=NEW, baseline=None, seed=0
    )

    assert not verdict.decision.refused
    assert verdict.best_run_id == NEW


@pytest.mark.parametrize(
    ("error", "refused", "best"),
    [(0.005, False, NEW), (0.01, False, NEW), (0.02, True, BEST)],
)
def test_a_run_is_refused_when_it_is_clearly_worse_than_the_best_one(
    artifacts: Artifacts, error: float, *, refused: bool, best: int
) -> None:
    best_so_far = save(artifacts, examined(evaluation()))

    verdict = judged(artifacts, examined(evaluation(), error=error), best_so_far)

    assert (verdict.decision.refused, verdict.best_run_id) == (refused, best)


def test_the_best_run_is_judged_by_the_labels_of_today(artifacts: Artifacts) -> None:
    # When it was served only forty objects had labels.
    best_so_far = save(artifacts, examined(evaluation(n_labels=40)))

    verdict = judged(artifacts, examined(evaluation(), error=0.02), best_so_far)

    assert verdict.decision.refused


def test_too_few_labels_refuse_nobody(artifacts: Artifacts) -> None:
    few = evaluation(n_labels=49)
    best_so_far = save(artifacts, examined(few))

    verdict = judged(artifacts, examined(few, error=0.2), best_so_far)

    assert not verdict.decision.refused
    assert "50 are needed" in verdict.decision.reason


def test_a_best_run_whose_predictions_are_gone_stops_nobody(
    artifacts: Artifacts, caplog: pytest.LogCaptureFixture
) -> None:
    best_so_far = save(artifacts, examined(evaluation()))
    artifacts.evaluation_predictions(BEST, FENCE).unlink()

    for stored in (best_so_far, None):
        caplog.clear()
        verdict = judged(artifacts, examined(evaluation(), error=0.02), stored)

        assert not verdict.decision.refused
        assert verdict.best_run_id == NEW
        assert "are gone" in caplog.text


def test_predictions_of_another_database_s_run_are_no_baseline(
    artifacts: Artifacts, caplog: pytest.LogCaptureFixture
) -> None:
    """A new database on old files: its run 1 is not the run 1 that wrote them."""
    best_so_far = save(artifacts, examined(evaluation()))
    save(artifacts, examined(evaluation()), label_digest="of another campaign")

    verdict = judged(artifacts, examined(evaluation(), error=0.02), best_so_far)

    assert not verdict.decision.refused
    assert verdict.best_run_id == NEW
    assert "is of another run" in caplog.text


def test_a_worker_that_was_fenced_out_leaves_the_served_predictions_alone(
    artifacts: Artifacts,
) -> None:
    best_so_far = save(artifacts, examined(evaluation()), fence=FENCE)
    save(artifacts, examined(evaluation(), error=0.5), fence=FENCE - 1)

    verdict = judged(artifacts, examined(evaluation(), error=0.02), best_so_far)

    assert verdict.decision.refused


def test_labels_that_calibrate_do_not_report_coverage() -> None:
    examiners = evaluation(1000)
    # Intervals twice too narrow, were they not calibrated.
    examination = examined(examiners, error=0.02, spread=0.01 / np.hypot(1.0, 0.5))

    points = {
        point.metric: point
        for point in curve_points(examination, run_id=1, arm=Arm.ACTIVE, n_labels=7)
    }

    reporting = int((~examiners.calibrates).sum())
    assert points["coverage68"].n_evaluation == reporting < len(examiners)
    assert points["coverage68"].value == pytest.approx(0.68, abs=0.06)
    assert points["rmse"].n_evaluation == len(examiners)
    for point in points.values():
        assert point.low is not None
        assert point.high is not None
        assert point.low <= point.value <= point.high


def test_without_labels_there_is_nothing_to_draw() -> None:
    examination = examined(evaluation(n_labels=0))

    assert examination.calibration is None
    assert curve_points(examination, run_id=1, arm=Arm.ACTIVE, n_labels=7) == []
