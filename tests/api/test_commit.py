"""What a client was told is in the database: the commit precedes the answer.

FastAPI finishes a `yield` dependency after the response by default: a commit that
failed then had already been answered with 201.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import redis
from sqlalchemy import event

from al_service.local.processes import wait_until
from al_service.local.valkey import EmbeddedValkey
from tests.api.conftest import API, Door, Sky, object_id, open_door
from tests.api.test_errors import check_problem

QUEUE = "score"


class CommitFails(RuntimeError):
    pass


@contextmanager
def failing_commits(door: Door) -> Iterator[None]:
    def fail(_: object) -> None:
        raise CommitFails

    event.listen(door.service.sessions, "before_commit", fail)
    try:
        yield
    finally:
        event.remove(door.service.sessions, "before_commit", fail)


@contextmanager
def messages(valkey: EmbeddedValkey) -> Iterator[redis.Redis]:
    address = valkey.url.replace("redis+socket", "unix").replace("virtual_host", "db")
    with redis.Redis.from_url(address) as broker:
        # The opening of the test's campaign has rung, or is about to.
        assert wait_until(lambda: broker.llen(QUEUE) > 0, seconds=10)
        broker.delete(QUEUE)
        yield broker


def test_a_commit_that_fails_is_never_answered_with_success(
    door: Door, campaign: str
) -> None:
    place = f"{API}/campaigns/{campaign}"
    with failing_commits(door):
        check_problem(door.labeler.post(f"{place}/batches", json={"size": 2}), 500)
        check_problem(door.admin.patch(place, json={"budget": 5}), 500)
    shown = door.viewer.get(place).json()
    assert (shown["counts"]["leased"], shown["budget"]) == (0, None)
    assert door.labeler.post(f"{place}/batches", json={"size": 2}).status_code == 201


def test_nobody_is_rung_for_what_was_not_committed(
    door: Door, campaign: str, valkey: EmbeddedValkey
) -> None:
    place = f"{API}/campaigns/{campaign}/labels"
    body = {"labels": [{"object_id": object_id(1), "values": {"z": 0.1}}]}
    with messages(valkey) as broker:
        with failing_commits(door):
            check_problem(door.labeler.post(place, json=body), 500)
        assert broker.llen(QUEUE) == 0
        assert door.labeler.post(place, json=body).status_code == 201
        # The ring follows the answer: the next request on the connection comes later.
        assert door.labeler.get(place).json()["items"]
        assert wait_until(lambda: broker.llen(QUEUE) == 1, seconds=10)


def test_a_silent_broker_delays_no_answer_and_loses_nothing(sky: Sky) -> None:
    nobody = "redis://127.0.0.1:1/0"
    quiet = replace(
        sky, settings=sky.settings.model_copy(update={"broker_url": nobody})
    )
    with open_door(quiet) as door:
        campaign = door.open_campaign()
        body = {"labels": [{"object_id": object_id(1), "values": {"z": 0.1}}]}
        place = f"{API}/campaigns/{campaign}/labels"
        assert door.labeler.post(place, json=body).status_code == 201
        ready = door.http.get("/readyz")
        assert ready.status_code == 503
        checks = {one["name"]: one["ok"] for one in ready.json()["checks"]}
        assert checks["database"]
        assert not checks["broker"]
