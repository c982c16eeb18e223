"""Every error is one problem document, and says what was wrong."""

import httpx
import pytest

from al_service.api.problems import MEDIA_TYPE, TYPE_PREFIX
from tests.api.conftest import API, POOL, Door


def check_problem(answer: httpx.Response, status: int, kind: str | None = None) -> None:
    """The shape that every error has."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == MEDIA_TYPE
    problem = answer.json()
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert problem["type"] == (f"{TYPE_PREFIX}{kind}" if kind else "about:blank")


def where(answer: httpx.Response) -> list[str]:
    return [error["where"] for error in answer.json()["errors"]]


def test_an_unknown_route_is_a_404_problem(door: Door) -> None:
    for path in ("/nothing", "/api/v1/nothing", "/api/v2/campaigns"):
        check_problem(door.admin.get(path), 404)


def test_without_a_token_nothing_but_operations_is_answered(door: Door) -> None:
    schema = door.http.get("/openapi.json").json()
    asked = 0
    for path, methods in schema["paths"].items():
        if not path.startswith(API):
            continue
        for method in methods:
            address = path.replace("{campaign}", "1").replace("{object_id}", "x")
            address = address.replace("{batch_id}", "1").replace("{run_id}", "1")
            answer = door.http.request(method, address, json={})
            check_problem(answer, 401, "not-authenticated")
            assert answer.headers["www-authenticate"] == "Bearer"
            asked += 1
    assert asked >= 15


@pytest.mark.parametrize("token", ["wrong", "al_" + "x" * 43, "\u00fc"])
def test_a_token_that_nobody_holds_is_a_401(door: Door, token: str) -> None:
    headers = {b"Authorization": f"Bearer {token}".encode()}
    answer = door.http.get(f"{API}/campaigns", headers=headers)
    check_problem(answer, 401, "not-authenticated")


def test_a_token_in_the_address_opens_nothing(door: Door) -> None:
    secret = next(iter(door.secrets.values()))
    answer = door.http.get(f"{API}/campaigns", params={"token": secret})
    check_problem(answer, 401, "not-authenticated")


def test_each_role_includes_the_ones_before_it(door: Door, campaign: str) -> None:
    place = f"{API}/campaigns/{campaign}"
    new = {"name": f"{campaign}-again", "pool": POOL}
    for client, read, ask, create in (
        (door.viewer, 200, 403, 403),
        (door.labeler, 200, 201, 403),
        (door.admin, 200, 201, 201),
    ):
        answers = (
            client.get(place),
            client.post(f"{place}/batches", json={"size": 1}),
            client.post(f"{API}/campaigns", json=new),
        )
        for answer, status in zip(answers, (read, ask, create), strict=True):
            assert answer.status_code == status, answer.text
            if status == 403:
                check_problem(answer, 403, "not-allowed")


def test_every_bad_field_is_listed(door: Door) -> None:
    answer = door.admin.post(
        f"{API}/campaigns",
        json={
            "name": "no/slashes",
            "targets": ["z", "mass"],
            "random_share": 1.5,
            "model": {"dim": 7, "epoch": 3},
            "strategy": {"name": "guess"},
            "retrain": {"full": {"labels": 0, "seconds": 1}},
            "speed": "fast",
        },
    )
    check_problem(answer, 422, "invalid-request")
    assert set(where(answer)) == {
        "name",
        "pool",
        "targets[1]",
        "random_share",
        "model.dim",
        "model.epoch",
        "strategy.name",
        "retrain.full.labels",
        "speed",
    }


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "many"])
def test_a_limit_out_of_range_is_refused_not_clamped(door: Door, limit: str) -> None:
    answer = door.viewer.get(f"{API}/campaigns", params={"limit": limit})
    check_problem(answer, 422, "invalid-request")
    assert where(answer) == ["query.limit"]


@pytest.mark.parametrize("cursor", ["x", "bnVsbA", "WzFlOTld", "%00", "WyJhIl0"])
def test_a_cursor_that_the_service_did_not_write_is_a_422(
    door: Door, cursor: str
) -> None:
    answer = door.viewer.get(f"{API}/campaigns", params={"cursor": cursor})
    check_problem(answer, 422, "invalid-cursor")


@pytest.mark.parametrize(
    "path",
    [
        "campaigns/none",
        "campaigns/99",
        f"campaigns/{'9' * 40}",
        "batches/99",
        "runs/99",
        "objects/none",
        "campaigns/none/labels",
        "campaigns/none/learning-curve.png",
    ],
)
def test_what_does_not_exist_is_a_404_that_names_it(door: Door, path: str) -> None:
    answer = door.viewer.get(f"{API}/{path}")
    check_problem(answer, 404, "not-found")
    assert answer.json()["noun"] in path


@pytest.mark.parametrize("path", ["batches/0", "batches/x", f"runs/{2**63}"])
def test_an_id_that_no_row_can_have_is_a_422(door: Door, path: str) -> None:
    check_problem(door.viewer.get(f"{API}/{path}"), 422, "invalid-request")


def test_a_taken_name_is_a_409(door: Door, campaign: str) -> None:
    new = {"name": campaign, "pool": POOL}
    check_problem(door.admin.post(f"{API}/campaigns", json=new), 409, "conflict")


def test_a_paused_campaign_hands_out_nothing_and_says_so(
    door: Door, campaign: str
) -> None:
    place = f"{API}/campaigns/{campaign}"
    assert door.admin.patch(place, json={"state": "paused"}).status_code == 200
    answer = door.labeler.post(f"{place}/batches", json={"size": 1})
    check_problem(answer, 409, "campaign-not-active")


def test_a_spent_budget_is_a_409(door: Door) -> None:
    place = f"{API}/campaigns/{door.open_campaign(budget=2)}/batches"
    assert len(door.labeler.post(place, json={"size": 5}).json()["items"]) == 2
    answer = door.labeler.post(place, json={"size": 1})
    check_problem(answer, 409, "budget-spent")


def test_too_few_labels_for_a_training_are_a_409(door: Door, campaign: str) -> None:
    answer = door.admin.post(f"{API}/campaigns/{campaign}/runs", json={})
    check_problem(answer, 409, "too-few-labels")


def test_a_second_run_of_a_kind_is_a_409_that_carries_the_first(
    door: Door, campaign: str
) -> None:
    answer = door.admin.post(f"{API}/campaigns/{campaign}/runs", json={"kind": "score"})
    check_problem(answer, 409, "run-in-progress")
    problem = answer.json()
    assert problem["run"]["id"] == problem["run_id"]
    assert problem["run"]["state"] == "planned"
