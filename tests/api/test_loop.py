"""Ask, tell and look, over HTTP."""

from tests.api.conftest import API, N_OBJECTS, N_POOL, Door, object_id
from tests.api.test_errors import check_problem


def test_a_campaign_can_be_asked_and_told_the_moment_it_is_created(
    door: Door, campaign: str
) -> None:
    asked = door.labeler.post(f"{API}/campaigns/{campaign}/batches", json={"size": 3})
    assert asked.status_code == 201, asked.text
    batch = asked.json()
    assert len(batch["items"]) == 3
    assert {item["reason"] for item in batch["items"]} == {"random"}
    assert all(item["prediction"] is None for item in batch["items"])

    labels = [
        {"object_id": item["object_id"], "values": {"z": 0.1}}
        for item in batch["items"]
    ]
    told = door.labeler.post(
        f"{API}/campaigns/{campaign}/labels",
        json={"batch_id": batch["id"], "labels": labels},
    )
    assert told.status_code == 201, told.text
    assert [one["batch_id"] for one in told.json()["labels"]] == [batch["id"]] * 3

    shown = door.viewer.get(f"{API}/batches/{batch['id']}").json()
    assert shown["state"] == "labeled"
    counts = door.viewer.get(f"{API}/campaigns/{campaign}").json()["counts"]
    assert counts["labels"] == 3
    assert counts["free"] == N_POOL - 3


def test_a_batch_is_renewed_and_given_back_by_its_labeler_or_an_admin(
    door: Door, campaign: str
) -> None:
    place = f"{API}/campaigns/{campaign}/batches"
    mine = door.labeler.post(place, json={"size": 2, "lease_seconds": 60}).json()
    its = f"{API}/batches/{mine['id']}"
    renewed = door.labeler.post(f"{its}/renew", json={"lease_seconds": 3600}).json()
    assert renewed["expires_at"] > mine["expires_at"]
    assert door.labeler.post(f"{its}/renew").status_code == 200

    others = door.admin.post(place, json={"size": 1}).json()
    theirs = f"{API}/batches/{others['id']}"
    check_problem(door.labeler.delete(theirs), 403, "not-allowed")
    check_problem(door.labeler.post(f"{theirs}/renew"), 403, "not-allowed")

    released = door.admin.delete(its)
    assert released.status_code == 200
    assert released.json()["state"] == "released"
    assert not any(item["held"] for item in released.json()["items"])
    check_problem(door.labeler.delete(its), 409, "lease-closed")
    check_problem(door.labeler.post(f"{its}/renew"), 409, "lease-closed")


def test_a_batch_ends_where_the_pool_ends(door: Door) -> None:
    campaign = door.open_campaign()
    place = f"{API}/campaigns/{campaign}/batches"
    first = door.labeler.post(place, json={"size": N_POOL - 1}).json()
    assert (len(first["items"]), first["exhausted"]) == (N_POOL - 1, False)
    second = door.labeler.post(place, json={"size": 5}).json()
    assert (len(second["items"]), second["exhausted"]) == (1, True)
    third = door.labeler.post(place, json={"size": 5})
    assert third.status_code == 201
    assert (third.json()["items"], third.json()["exhausted"]) == ([], True)


def test_a_label_that_cannot_be_made_retires_its_object(
    door: Door, campaign: str
) -> None:
    place = f"{API}/campaigns/{campaign}"
    item = door.labeler.post(f"{place}/batches", json={}).json()["items"][0]
    label = {"object_id": item["object_id"], "values": {}, "quality": 0}
    told = door.labeler.post(f"{place}/labels", json={"labels": [label]})
    assert told.status_code == 201
    counts = door.viewer.get(place).json()["counts"]
    assert (counts["labeled"], counts["trainable"]) == (1, 0)


def test_a_label_told_after_its_batch_was_given_back_is_kept_and_flagged(
    door: Door, campaign: str
) -> None:
    place = f"{API}/campaigns/{campaign}"
    batch = door.labeler.post(f"{place}/batches", json={}).json()
    door.labeler.delete(f"{API}/batches/{batch['id']}")
    label = {"object_id": batch["items"][0]["object_id"], "values": {"z": 0.1}}
    body = {"batch_id": batch["id"], "labels": [label]}
    told = door.labeler.post(f"{place}/labels", json=body).json()["labels"]
    assert [one["late"] for one in told] == [True]


def test_lists_are_walked_page_by_page_without_gaps_or_repeats(
    door: Door, campaign: str
) -> None:
    place = f"{API}/campaigns/{campaign}/labels"
    numbers = [number for number in range(N_OBJECTS) if number % 5][:11]
    labels = [{"object_id": object_id(n), "values": {"z": 0.1}} for n in numbers]
    door.labeler.post(place, json={"labels": labels})
    walked, cursor = [], None
    for _ in range(4):
        query = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = door.viewer.get(place, params=query).json()
        walked += [one["id"] for one in page["items"]]
        cursor = page["next_cursor"]
    assert cursor is None
    assert len(walked) == len(set(walked)) == 11
    assert walked == sorted(walked)


def test_a_campaign_is_found_by_name_and_by_number(door: Door, campaign: str) -> None:
    by_name = door.viewer.get(f"{API}/campaigns/{campaign}").json()
    by_id = door.viewer.get(f"{API}/campaigns/{by_name['id']}").json()
    assert by_id == by_name
    listed = door.viewer.get(f"{API}/campaigns", params={"limit": 1000}).json()
    assert campaign in [one["name"] for one in listed["items"]]
    assert by_name["strategy"]["name"] == "lcmd"
    assert by_name["strategy"]["version"] == by_name["model"]["version"] == 1
    assert by_name["next_retrain"]["labels"] == 50


def test_a_policy_is_changed_and_the_rest_stays(door: Door, campaign: str) -> None:
    place = f"{API}/campaigns/{campaign}"
    policy = {
        "full": {"labels": 10, "seconds": 60},
        "head": {"labels": 5, "seconds": 5},
    }
    changed = door.admin.patch(place, json={"retrain": policy, "budget": 30}).json()
    assert changed["retrain"]["full"] == policy["full"]
    assert changed["budget"] == 30
    assert changed["random_share"] == 0.0
    assert door.admin.patch(place, json={"budget": None}).json()["budget"] is None
    check_problem(door.admin.patch(place, json={}), 422, "invalid-request")
    door.admin.patch(place, json={"state": "finished"})
    check_problem(door.admin.patch(place, json={"budget": 1}), 409, "conflict")


def test_a_run_is_listed_shown_and_canceled(door: Door, campaign: str) -> None:
    place = f"{API}/campaigns/{campaign}/runs"
    runs = door.viewer.get(place).json()["items"]
    assert [(run["kind"], run["state"]) for run in runs] == [("score", "planned")]
    its = f"{API}/runs/{runs[0]['id']}"
    assert door.viewer.get(its).json() == runs[0]
    assert door.admin.delete(its).json()["state"] == "canceled"
    check_problem(door.admin.delete(its), 409, "conflict")
    started = door.admin.post(place, json={"kind": "score"})
    assert started.status_code == 202
    assert started.headers["location"] == f"{API}/runs/{started.json()['id']}"
    newest = door.viewer.get(place, params={"limit": 1}).json()
    assert [run["id"] for run in newest["items"]] == [started.json()["id"]]
    assert newest["next_cursor"] is not None


def test_an_object_tells_its_history_and_not_what_the_pool_knows_of_it(
    door: Door, campaign: str
) -> None:
    place = f"{API}/campaigns/{campaign}"
    batch = door.labeler.post(f"{place}/batches", json={}).json()
    item = batch["items"][0]
    label = {"object_id": item["object_id"], "values": {"z": 0.25}, "note": "blend"}
    door.labeler.post(f"{place}/labels", json={"labels": [label]})
    shown = door.viewer.get(item["links"]["object"]).json()
    assert shown["object_id"] == item["object_id"]
    assert (shown["ra"], shown["dec"]) == (item["ra"], item["dec"])
    here = next(one for one in shown["campaigns"] if one["campaign"] == campaign)
    assert here["state"] == "labeled"
    assert [one["batch_id"] for one in here["handed_out"]] == [batch["id"]]
    assert [(one["values"], one["note"]) for one in here["labels"]] == [
        ({"z": 0.25}, "blend")
    ]
    assert "known" not in str(shown)


def test_a_correction_names_the_label_that_it_supersedes(
    door: Door, campaign: str
) -> None:
    place = f"{API}/campaigns/{campaign}/labels"
    wrong = {"object_id": object_id(1), "values": {"z": 0.1}}
    (first,) = door.labeler.post(place, json={"labels": [wrong]}).json()["labels"]
    right = {"object_id": object_id(1), "values": {"z": 0.2}}
    refused = door.labeler.post(place, json={"labels": [right]})
    check_problem(refused, 422, "invalid-labels")
    assert f"label {first['id']}" in refused.json()["errors"][0]["message"]

    corrected = door.labeler.post(
        place, json={"labels": [{**right, "supersedes": first["id"]}]}
    )
    assert corrected.status_code == 201
    history = door.viewer.get(place).json()["items"]
    assert [one["values"]["z"] for one in history] == [0.1, 0.2]
    assert history[0]["superseded_by"] == history[1]["id"]
    assert history[1]["supersedes_id"] == history[0]["id"]
