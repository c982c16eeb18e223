"""Labels that cannot be: every one is named, none is stored."""

from tests.api.conftest import API, Door, object_id
from tests.api.test_errors import check_problem, where


def test_every_bad_label_is_named_and_none_is_stored(door: Door, campaign: str) -> None:
    place = f"{API}/campaigns/{campaign}/labels"
    labels = [
        {"object_id": object_id(1), "values": {"z": 0.1}},
        {"object_id": object_id(2), "values": {"z": 9.0}},
        {"object_id": object_id(3), "values": {"z": -9999.0}},
        {"object_id": object_id(4), "values": {"sfr_avg": 0.0}},
        {"object_id": "SDSS J000000.00+000000.0", "values": {"z": 0.1}},
        {"object_id": object_id(5), "values": {"z": 0.1}},  # held out
        {"object_id": object_id(1), "values": {"z": 0.2}},
        {"object_id": object_id(6), "values": {"z": 0.1}, "errors": {"z": -0.1}},
        {"object_id": object_id(7), "values": {}, "quality": 3},
    ]
    answer = door.labeler.post(place, json={"labels": labels})
    check_problem(answer, 422, "invalid-labels")
    assert set(where(answer)) == {
        "labels[1].values.z",
        "labels[2].values.z",
        "labels[3].values.sfr_avg",
        "labels[4].object_id",
        "labels[5].object_id",
        "labels[6].object_id",
        "labels[7].errors.z",
        "labels[8].values",
    }
    assert door.viewer.get(place).json()["items"] == []


def test_numbers_that_json_cannot_carry_are_refused(door: Door, campaign: str) -> None:
    answer = door.labeler.post(
        f"{API}/campaigns/{campaign}/labels",
        content=b'{"labels": [{"object_id": "x", "values": {"z": NaN}}]}',
        headers={"Content-Type": "application/json"},
    )
    check_problem(answer, 422, "invalid-request")
    assert where(answer) == ["labels[0].values.z"]


def test_an_unsorted_quantile_is_named(door: Door) -> None:
    campaign = door.open_campaign(targets=["sfr_p16", "sfr_p84"])
    values = {"sfr_p16": 0.5, "sfr_p84": -0.5}
    answer = door.labeler.post(
        f"{API}/campaigns/{campaign}/labels",
        json={"labels": [{"object_id": object_id(1), "values": values}]},
    )
    check_problem(answer, 422, "invalid-labels")
    assert where(answer) == ["labels[0].values.sfr_p84"]
