"""Many clients at once, over real HTTP."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from al_service.rounds.tokens import create_token
from db.tables import Label, LeaseItem
from db.vocabulary import Role
from tests.api.conftest import API, Door, Sky, fill_pool

CLIENTS = 20
BATCHES = 3
SIZE = 4
POOL = "big"
OBJECTS = 500

Json = dict[str, Any]  # what goes over the wire

POOL_TIMEOUT_SECONDS = 30.0
"""After it a request that waits for a connection gives up."""


@dataclass(frozen=True)
class Told:
    """What one client was told."""

    handed_out: list[str]
    labels: list[int]


@pytest.fixture
def campaign_of_many(sky: Sky, door: Door) -> str:
    fill_pool(sky.database, POOL, size=OBJECTS)
    return door.open_campaign(pool=POOL, random_share=0.3)


def twice(http: httpx.Client, path: str, body: Json, key: str) -> Json:
    """Send a request twice at the same time; both answers are the same."""

    def post(_: int) -> httpx.Response:
        return http.post(path, json=body, headers={"Idempotency-Key": key})

    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(post, range(2))
    assert first.status_code == second.status_code == 201, first.text + second.text
    answer: Json = first.json()
    assert answer == second.json()
    return answer


def label_some(url: str, secret: str, campaign: str) -> Told:
    told = Told([], [])
    headers = {"Authorization": f"Bearer {secret}"}
    with httpx.Client(
        base_url=f"{url}{API}/campaigns/{campaign}",
        headers=headers,
        trust_env=False,
        timeout=60,
    ) as http:
        for number in range(BATCHES):
            batch = twice(http, "/batches", {"size": SIZE}, f"ask-{number}")
            ids = [item["object_id"] for item in batch["items"]]
            labels = [{"object_id": one, "values": {"z": 0.1}} for one in ids]
            body = {"batch_id": batch["id"], "labels": labels}
            stored = twice(http, "/labels", body, f"tell-{number}")
            told.handed_out.extend(ids)
            told.labels.extend(label["id"] for label in stored["labels"])
    return told


def test_twenty_clients_that_send_everything_twice_get_every_object_once(
    sky: Sky, door: Door, campaign_of_many: str
) -> None:
    with sky.database.sessions.begin() as session:
        secrets = [
            create_token(session, f"client {number}", Role.LABELER)[1]
            for number in range(CLIENTS)
        ]
    with ThreadPoolExecutor(CLIENTS) as threads:
        all_told = list(
            threads.map(
                lambda secret: label_some(door.url, secret, campaign_of_many), secrets
            )
        )

    expected = CLIENTS * BATCHES * SIZE
    handed_out = Counter(one for told in all_told for one in told.handed_out)
    assert len(handed_out) == expected
    assert set(handed_out.values()) == {1}
    labels = [one for told in all_told for one in told.labels]
    assert len(set(labels)) == len(labels) == expected

    with sky.database.sessions() as session:
        stored = session.scalars(select(Label.id).where(Label.id.in_(labels))).all()
        every = session.scalars(select(LeaseItem.candidate_id)).all()
    assert len(stored) == expected
    assert len(set(every)) == len(every)
    counts = door.viewer.get(f"{API}/campaigns/{campaign_of_many}").json()["counts"]
    assert (counts["labels"], counts["labeled"], counts["leased"]) == (
        expected,
        expected,
        0,
    )


def test_more_requests_than_connections_wait_their_turn(
    door: Door, campaign: str
) -> None:
    """A hundred at once: connections, threads and places must not wait for another."""

    def look(_: int) -> int:
        return httpx.get(
            f"{door.url}{API}/campaigns/{campaign}",
            headers={"Authorization": f"Bearer {door.secrets[Role.VIEWER]}"},
            timeout=60,
            trust_env=False,
        ).status_code

    started = time.monotonic()
    with ThreadPoolExecutor(100) as threads:
        statuses = set(threads.map(look, range(100)))
    assert statuses == {200}
    assert time.monotonic() - started < POOL_TIMEOUT_SECONDS
