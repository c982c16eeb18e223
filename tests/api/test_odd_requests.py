"""Requests that no sane client sends are the caller's mistake, never a failure."""

import json
from typing import Any

import httpx
import pytest

from al_service.api.problems import MEDIA_TYPE
from tests.api.conftest import API, POOL, Door, object_id

JSON = {"Content-Type": "application/json"}
LABEL = {"object_id": object_id(1), "values": {"z": 0.1}}

CAMPAIGNS: dict[str, Any] = {  # JSON: anything at all
    "seed beyond the database": {"seed": 2**64},
    "negative seed": {"seed": -1},
    "budget beyond the database": {"budget": 2**63},
    "a share that is text": {"random_share": "much"},
    "a share that is a number in quotes": {"random_share": "0.5"},
    "a share that is true": {"random_share": True},
    "a target twice": {"targets": ["z", "z"]},
    "a true width": {"model": {"dim": True}},
    "a size in quotes": {"strategy": {"greedy": "12"}},
    "a true threshold": {"retrain": {"full": {"labels": True, "seconds": 60}}},
    "no targets": {"targets": []},
    "unknown target": {"targets": ["mass"]},
    "name of digits": {"name": "123"},
    "name of a kilometer": {"name": "x" * 101},
    "empty name": {"name": ""},
    "pool that is a list": {"pool": ["little"]},
    "model of another version": {"model": {"version": 2}},
    "strategy that is a number": {"strategy": 3},
    "dim no multiple of members": {"model": {"dim": 10, "members": 4}},
    "infinite threshold": {"retrain": {"full": {"labels": 1, "seconds": 1e999}}},
    "overlap of a crowd": {"overlap": 10},
}

BATCHES: dict[str, Any] = {
    "none": {"size": 0},
    "negative": {"size": -1},
    "too many": {"size": 10_001},
    "a fraction": {"size": 1.5},
    "true": {"size": True},
    "a number in quotes": {"size": "1"},
    "a false time": {"size": 1, "lease_seconds": "60"},
    "beyond integers": {"size": 10**30},
    "forever": {"lease_seconds": 1e300},
    "no time": {"lease_seconds": 0},
    "a list": [],
    "text": "ten",
    "null": None,
}

LABELS: dict[str, Any] = {
    "none": {"labels": []},
    "batch beyond the database": {"batch_id": 2**63, "labels": [LABEL]},
    "superseding beyond the database": {"labels": [{**LABEL, "supersedes": 2**63}]},
    "superseding nothing": {"labels": [{**LABEL, "supersedes": 12345}]},
    "quality of a half": {"labels": [{**LABEL, "quality": 3.5}]},
    "quality 5": {"labels": [{**LABEL, "quality": 5}]},
    "a note of megabytes": {"labels": [{**LABEL, "note": "x" * 10_001}]},
    "a huge redshift": {"labels": [{**LABEL, "values": {"z": 1e308}}]},
    "a text for a redshift": {"labels": [{**LABEL, "values": {"z": "high"}}]},
    "a redshift in quotes": {"labels": [{**LABEL, "values": {"z": "0.1"}}]},
    "a true redshift": {"labels": [{**LABEL, "values": {"z": True}}]},
    "a true quality": {"labels": [{**LABEL, "quality": True}]},
    "a true batch": {"batch_id": True, "labels": [LABEL]},
    "values of many names": {
        "labels": [{**LABEL, "values": {f"t{n}": 1.0 for n in range(101)}}]
    },
    "an object without id": {"labels": [{"values": {"z": 0.1}}]},
    "an object with a number for an id": {"labels": [{**LABEL, "object_id": 17}]},
}


def check_mistake(answer: httpx.Response) -> None:
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert answer.json()["detail"]


@pytest.mark.parametrize("change", CAMPAIGNS.values(), ids=CAMPAIGNS.keys())
def test_an_odd_campaign_is_refused(door: Door, change: Any) -> None:  # JSON
    new = {"name": "odd", "pool": POOL, **change}
    check_mistake(
        door.admin.post(f"{API}/campaigns", content=json.dumps(new), headers=JSON)
    )


@pytest.mark.parametrize("body", BATCHES.values(), ids=BATCHES.keys())
def test_an_odd_ask_is_refused(door: Door, campaign: str, body: Any) -> None:  # JSON
    place = f"{API}/campaigns/{campaign}/batches"
    check_mistake(door.labeler.post(place, content=json.dumps(body), headers=JSON))


@pytest.mark.parametrize("body", LABELS.values(), ids=LABELS.keys())
def test_an_odd_tell_is_refused(door: Door, campaign: str, body: Any) -> None:  # JSON
    place = f"{API}/campaigns/{campaign}/labels"
    check_mistake(door.labeler.post(place, content=json.dumps(body), headers=JSON))


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        (b"", JSON),
        (b"", {}),
        (b'{"size": 1}', {"Content-Type": "text/plain"}),
        (b"\xff\xfe", JSON),
        (b"[" * 20_000, JSON),
        (b'{"size": 1}{"size": 1}', JSON),
        (b"size=1", {"Content-Type": "application/x-www-form-urlencoded"}),
    ],
)
def test_a_body_of_another_kind_is_refused(
    door: Door, campaign: str, content: bytes, headers: dict[str, str]
) -> None:
    place = f"{API}/campaigns/{campaign}/batches"
    check_mistake(door.labeler.post(place, content=content, headers=headers))


@pytest.mark.parametrize(
    "path",
    [
        "campaigns/%ff",
        "campaigns/%F0%9F%94%AD",
        "campaigns/%20",
        "campaigns/" + "x" * 300,
        "objects/%ff%fe",
        "objects/" + "9" * 150,
        "batches/%31%30%30",
        "batches/1e3",
        "runs/-1",
        "runs/%EF%BC%90",
    ],
)
def test_an_odd_path_is_refused(door: Door, path: str) -> None:
    check_mistake(door.viewer.get(f"{API}/{path}"))


def test_a_truth_value_is_named_as_json_writes_it(door: Door, campaign: str) -> None:
    """Python's `True` was taken for 1, and shown to people who write JSON."""
    place = f"{API}/campaigns/{campaign}/batches"
    answer = door.labeler.post(place, json={"size": True})
    assert answer.status_code == 422
    (problem,) = answer.json()["errors"]
    assert problem == {"where": "size", "message": "expected a number, found true"}
    assert door.labeler.post(place, json={"size": 1.0}).status_code == 201


def test_what_is_wrong_inside_a_configuration_is_named(door: Door) -> None:
    new = {"name": "odd", "pool": POOL, "model": {"dim": True, "epochs": "3"}}
    answer = door.admin.post(f"{API}/campaigns", json=new)
    places = [error["where"] for error in answer.json()["errors"]]
    assert places == ["model.dim", "model.epochs"]


@pytest.mark.parametrize("field", ["state", "retrain", "random_share"])
def test_null_changes_nothing_and_is_refused(
    door: Door, campaign: str, field: str
) -> None:
    """`{"state": null}` was answered with 200 and had done nothing."""
    place = f"{API}/campaigns/{campaign}"
    answer = door.admin.patch(place, json={field: None})
    assert answer.status_code == 422
    assert [error["where"] for error in answer.json()["errors"]] == [field]
    assert door.admin.patch(place, json={"budget": None}).status_code == 200


@pytest.mark.parametrize(
    ("path", "known"),
    [
        ("campaigns?limt=5", "cursor, limit"),
        ("campaigns/{campaign}?verbose=1", "none is known"),
        ("campaigns/{campaign}/objects?limit=5&sort=ra", "cursor, limit"),
    ],
)
def test_a_parameter_that_nobody_reads_is_refused(
    door: Door, campaign: str, path: str, known: str
) -> None:
    """`?limt=5` was answered with a hundred items."""
    answer = door.viewer.get(f"{API}/{path.format(campaign=campaign)}")
    assert answer.status_code == 422
    (problem,) = answer.json()["errors"]
    assert problem["where"].startswith("query.")
    assert known in problem["message"]


def test_nothing_odd_was_left_behind(door: Door) -> None:
    listed = door.viewer.get(f"{API}/campaigns", params={"limit": 1000}).json()["items"]
    assert "odd" not in [one["name"] for one in listed]
