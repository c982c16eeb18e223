"""A request that is sent again with its key happens once."""

from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.api.conftest import API, Door, object_id
from tests.api.test_errors import check_problem


def ask(door: Door, campaign: str, key: str, size: int = 2) -> httpx.Response:
    return door.labeler.post(
        f"{API}/campaigns/{campaign}/batches",
        json={"size": size},
        headers={"Idempotency-Key": key},
    )


def leased(door: Door, campaign: str) -> int:
    status = door.viewer.get(f"{API}/campaigns/{campaign}").json()
    return int(status["counts"]["leased"])


def test_the_same_ask_with_the_same_key_is_answered_the_same(
    door: Door, campaign: str
) -> None:
    first, second = ask(door, campaign, "a"), ask(door, campaign, "a")
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    assert first.headers["location"] == second.headers["location"]
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert leased(door, campaign) == 2


def test_two_equal_asks_at_the_same_time_have_one_effect(
    door: Door, campaign: str
) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: ask(door, campaign, "b"), range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert leased(door, campaign) == 2


def test_another_body_under_the_same_key_is_refused(door: Door, campaign: str) -> None:
    assert ask(door, campaign, "c").status_code == 201
    answer = ask(door, campaign, "c", size=3)
    check_problem(answer, 409, "idempotency-conflict")
    assert leased(door, campaign) == 2


def test_a_key_counts_for_one_caller_and_one_path_only(
    door: Door, campaign: str
) -> None:
    other = door.open_campaign()
    ids = {ask(door, name, "d").json()["id"] for name in (campaign, other)}
    admins = door.admin.post(
        f"{API}/campaigns/{campaign}/batches",
        json={"size": 2},
        headers={"Idempotency-Key": "d"},
    )
    assert len({*ids, admins.json()["id"]}) == 3


def test_the_spelling_of_the_campaign_does_not_matter(
    door: Door, campaign: str
) -> None:
    """By name and by number the same ask was two."""
    number = door.viewer.get(f"{API}/campaigns/{campaign}").json()["id"]
    escaped = f"%{ord(campaign[0]):x}{campaign[1:]}"
    answers = [ask(door, name, "h") for name in (campaign, str(number), escaped)]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert leased(door, campaign) == 2


def test_the_spelling_of_the_body_does_not_matter(door: Door, campaign: str) -> None:
    first = ask(door, campaign, "e")
    second = door.labeler.post(
        f"{API}/campaigns/{campaign}/batches",
        content=b'{ "lease_seconds": null,  "size":2 }',
        headers={"Idempotency-Key": "e", "Content-Type": "application/json"},
    )
    assert second.json() == first.json()


def test_a_refused_request_is_not_remembered(door: Door, campaign: str) -> None:
    place = f"{API}/campaigns/{campaign}"
    door.admin.patch(place, json={"state": "paused"})
    check_problem(ask(door, campaign, "f"), 409, "campaign-not-active")
    door.admin.patch(place, json={"state": "active"})
    assert ask(door, campaign, "f").status_code == 201


def test_a_tell_that_is_sent_again_stores_nothing_twice(
    door: Door, campaign: str
) -> None:
    place = f"{API}/campaigns/{campaign}/labels"
    body = {"labels": [{"object_id": object_id(1), "values": {"z": 0.1}}]}
    answers = [
        door.labeler.post(place, json=body, headers={"Idempotency-Key": "g"})
        for _ in range(3)
    ]
    assert [answer.status_code for answer in answers] == [201] * 3
    assert len({answer.text for answer in answers}) == 1
    assert len(door.viewer.get(place).json()["items"]) == 1


def test_a_key_that_no_client_would_send_is_a_422(door: Door, campaign: str) -> None:
    for key in ("", "x" * 256, "a b"):
        check_problem(ask(door, campaign, key), 422, "invalid-request")
