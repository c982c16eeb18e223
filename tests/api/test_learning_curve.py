"""The learning curve, and objects by score, once runs were published."""

import json

import pytest
from sqlalchemy.orm import Session

from al_service.rounds.campaigns import find_campaign
from al_service.rounds.planning import plan
from db.repositories.predictions import NewPrediction, replace_predictions
from db.tables import Campaign, CurvePoint, Run
from db.vocabulary import Arm, RunKind
from tests.api.conftest import API, N_POOL, Door, Sky, object_id
from tests.api.test_errors import check_problem
from tests.db.factories import id_of, publish_run

SCORED = [number for number in range(40) if number % 5][:25]

SAVED = {
    "metric": "rmse_norm",
    "n_labels": 24,
    "label_ratio": [0.7, None],
    "labels_saved": [None, 7.2],
    "error_ratio": [0.8, 0.9],
}
"""What a run's row says of the intervals of its control."""

BIN = {
    "by": "magnitude_r",
    "target": "z",
    "low": 15.2,
    "high": 16.9,
    "n": 40,
    "coverage68": {"value": 0.65, "low": 0.5, "high": 0.78},
    "coverage95": {"value": 0.95, "low": 0.84, "high": 0.99},
}
"""And of the coverage among bright galaxies."""


def prediction(mean: float) -> dict[str, object]:
    return {
        "z": {
            "mean": mean,
            "epistemic": 0.01,
            "aleatoric": 0.02,
            "interval90": [mean - 0.04, mean + 0.04],
            "calibrated": True,
        }
    }


def publish(session: Session, campaign: Campaign, *, n_labels: int) -> int:
    """A full run that served, with points of every arm and predictions."""
    run_id = plan(session, campaign, RunKind.FULL)
    publish_run(session, campaign, run_id)
    for arm, factor in (
        (Arm.ACTIVE, 1.0),
        (Arm.ACTIVE_MATCHED, 1.1),
        (Arm.RANDOM, 1.3),
    ):
        for metric in ("rmse_norm", "sigma_mad"):
            value = factor / n_labels
            session.add(
                CurvePoint(
                    run_id=run_id,
                    arm=arm,
                    target="z",
                    metric=metric,
                    n_labels=n_labels,
                    n_evaluation=12,
                    value=value,
                    low=0.9 * value,
                    high=1.1 * value,
                )
            )
    session.get_one(Run, run_id).metrics = {
        "saved": {"z": SAVED},
        "coverage": [BIN],
    }
    ids = [id_of(session, campaign, object_id(number)) for number in SCORED]
    replace_predictions(
        session,
        campaign.id,
        run_id=run_id,
        # Scores come in pairs: the order needs the id as well.
        predictions=[
            NewPrediction(one, float(place // 2), json.dumps(prediction(0.1)))
            for place, one in enumerate(ids)
        ],
    )
    return run_id


@pytest.fixture
def learned(sky: Sky, door: Door, campaign: str) -> str:
    """A campaign with two published full runs."""
    place = f"{API}/campaigns/{campaign}/labels"
    for numbers in ([n for n in range(60) if n % 5][:20], [56, 57, 58, 59]):
        labels = [{"object_id": object_id(n), "values": {"z": 0.1}} for n in numbers]
        assert door.labeler.post(place, json={"labels": labels}).status_code == 201
        with sky.database.sessions.begin() as session:
            found = find_campaign(session, campaign)
            publish(session, found, n_labels=20 if len(numbers) > 4 else 24)
    return campaign


def test_before_the_first_run_the_curve_is_empty_and_says_so(
    door: Door, campaign: str
) -> None:
    curve = door.viewer.get(f"{API}/campaigns/{campaign}/learning-curve").json()
    assert curve["points"] == []
    assert curve["against_random"] == {}
    assert curve["population"] == {"z": None}
    assert curve["warnings"] == ["no run has been evaluated yet"]


def test_the_curve_has_points_by_run_arm_target_and_metric_with_intervals(
    door: Door, learned: str
) -> None:
    curve = door.viewer.get(f"{API}/campaigns/{learned}/learning-curve").json()
    assert len(curve["points"]) == 2 * 3 * 2
    assert {point["arm"] for point in curve["points"]} == {
        "active",
        "active_matched",
        "random",
    }
    for point in curve["points"]:
        assert point["low"] < point["value"] < point["high"]
    assert "only 12 evaluation labels" in curve["warnings"][0]
    assert curve["coverage"] == [BIN]


def test_the_curve_says_what_was_saved_against_random_at_equal_labels(
    door: Door, learned: str
) -> None:
    curve = door.viewer.get(f"{API}/campaigns/{learned}/learning-curve").json()
    saving = curve["against_random"]["z"]
    assert saving["metric"] == "rmse_norm"
    assert saving["n_labels"] == 24
    assert saving["error_ratio"] == pytest.approx(1.1 / 1.3)
    # 1.1 / n meets 1.3 / 24 at n = 24 · 1.1 / 1.3, log-interpolated exactly.
    assert saving["label_ratio"] == pytest.approx(1.1 / 1.3)
    assert saving["labels_saved"] == pytest.approx(24 * (1 - 1.1 / 1.3))
    assert saving["intervals"] == {
        "label_ratio": [0.7, None],
        "labels_saved": [None, 7.2],
        "error_ratio": [0.8, 0.9],
    }


@pytest.mark.parametrize(
    ("kind", "media_type", "begins"),
    [("png", "image/png", b"\x89PNG"), ("svg", "image/svg+xml", b"<?xml")],
)
def test_the_curve_is_drawn_before_and_after_the_first_run(
    door: Door, learned: str, kind: str, media_type: str, begins: bytes
) -> None:
    for campaign in (door.open_campaign(), learned):
        answer = door.viewer.get(f"{API}/campaigns/{campaign}/learning-curve.{kind}")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == media_type
        assert answer.content.startswith(begins)


def test_objects_are_browsed_by_score_page_by_page(door: Door, learned: str) -> None:
    place = f"{API}/campaigns/{learned}/objects"
    walked, cursor = [], None
    for _ in range(4):
        query = {"limit": 7} | ({"cursor": cursor} if cursor else {})
        page = door.viewer.get(place, params=query).json()
        walked += page["items"]
        cursor = page["next_cursor"]
    assert cursor is None
    assert [one["score"] for one in walked] == sorted(
        (one["score"] for one in walked), reverse=True
    )
    assert len({one["object_id"] for one in walked}) == len(walked) == len(SCORED)
    assert walked[0]["prediction"]["z"]["interval90"] == pytest.approx([0.06, 0.14])


def test_a_batch_carries_what_the_served_model_says(door: Door, learned: str) -> None:
    place = f"{API}/campaigns/{learned}/batches"
    batch = door.labeler.post(place, json={"size": N_POOL}).json()
    status = door.viewer.get(f"{API}/campaigns/{learned}").json()
    assert batch["run_id"] == status["served_run_id"] == status["served_run"]["id"]
    known = [item for item in batch["items"] if item["prediction"] is not None]
    assert known
    assert set(known[0]["prediction"]["z"]) == {
        "mean",
        "epistemic",
        "aleatoric",
        "interval90",
        "calibrated",
        "spectrum_saves",
    }


def test_a_cursor_of_another_list_is_refused(door: Door, learned: str) -> None:
    page = door.viewer.get(
        f"{API}/campaigns/{learned}/objects", params={"limit": 1}
    ).json()
    answer = door.viewer.get(
        f"{API}/campaigns/{learned}/labels", params={"cursor": page["next_cursor"]}
    )
    check_problem(answer, 422, "invalid-cursor")
