import base64
import json
from pathlib import Path
from typing import cast

import pytest
import redis
from sqlalchemy import text

from al_service.rounds.doorbell import SCORE_QUEUE, TRAIN_QUEUE, Doorbell
from al_service.rounds.readiness import worker_seen
from al_service.rounds.sweeping import plan_due, sweep
from db.tables import Campaign
from db.vocabulary import RunKind, RunState
from tests.conftest import Database
from tests.rounds.observatory import Observatory, build_observatory


@pytest.fixture
def sky(database: Database, tmp_path: Path) -> Observatory:
    return build_observatory(database.sessions, tmp_path)


def messages(broker_url: str, queue: str) -> list[tuple[str, list[int]]]:
    """Task and arguments of every message that waits in a queue, oldest first."""
    address = broker_url.replace("redis+socket", "unix").replace("virtual_host", "db")
    with redis.Redis.from_url(address) as client:
        waiting = cast(list[bytes], client.lrange(queue, 0, -1))
    found = []
    for message in map(json.loads, reversed(waiting)):
        arguments, _, _ = json.loads(base64.b64decode(message["body"]))
        found.append((message["headers"]["task"], arguments))
    return found


def swept(sky: Observatory, broker_url: str | None) -> None:
    bell = Doorbell(broker_url)
    sweep(sessions=sky.sessions, doorbell=bell, settings=sky.settings)
    bell.close()


def grow_old(sky: Observatory) -> None:
    """Everything that was rung for was rung for a minute ago."""
    with sky.sessions.begin() as session:
        session.execute(text("UPDATE run SET rung_at = rung_at - interval '1 minute'"))


def test_the_sweep_plans_what_is_due_and_rings_for_it_once(
    sky: Observatory, broker_url: str
) -> None:
    campaign_id = sky.open_campaign()
    sky.observe(campaign_id, 60)

    swept(sky, broker_url)
    swept(sky, broker_url)

    full = sky.live_run(campaign_id, RunKind.FULL)
    assert full is not None
    assert messages(broker_url, TRAIN_QUEUE) == [("workers.tasks.train", [full.id])]


def test_the_sweep_forgets_workers_of_yesterday(sky: Observatory) -> None:
    with sky.sessions.begin() as session:
        worker_seen(session, "host:1", "train")
        session.execute(text("UPDATE worker_seen SET seen_at = now() - interval '2d'"))
        worker_seen(session, "host:2", "train")

    swept(sky, None)

    with sky.sessions.begin() as session:
        names = session.scalars(text("SELECT name FROM worker_seen")).all()
    assert names == ["host:2"]


def test_a_message_that_was_lost_is_sent_again(
    sky: Observatory, broker_url: str
) -> None:
    campaign_id = sky.open_campaign()
    cold_start = sky.live_run(campaign_id, RunKind.SCORE)
    assert cold_start is not None
    swept(sky, broker_url)
    assert messages(broker_url, SCORE_QUEUE) == [], "somebody was told a moment ago"

    grow_old(sky)
    swept(sky, broker_url)

    assert messages(broker_url, SCORE_QUEUE) == [
        ("workers.tasks.score", [cold_start.id])
    ]


def test_without_a_broker_the_work_stands_in_the_database(
    sky: Observatory, tmp_path: Path
) -> None:
    campaign_id = sky.open_campaign()
    sky.observe(campaign_id, 60)

    swept(sky, f"redis+socket://{tmp_path}/nobody.sock")

    full = sky.live_run(campaign_id, RunKind.FULL)
    assert full is not None
    assert full.state is RunState.PLANNED


def test_the_sweep_frees_what_an_expired_lease_has_held(sky: Observatory) -> None:
    campaign_id = sky.open_campaign()
    batch = sky.ask(campaign_id, 5)
    with sky.sessions.begin() as session:
        session.execute(
            text(
                "UPDATE lease SET opened_at = opened_at - interval '2 days',"
                " expires_at = opened_at - interval '1 day'"
            )
        )

    swept(sky, None)

    with sky.sessions.begin() as session:
        leased = session.scalar(
            text("SELECT count(*) FROM candidate WHERE state = 'leased'")
        )
    assert (len(batch.items), leased) == (5, 0)


def test_new_labels_of_one_campaign_plan_nothing_for_another(
    sky: Observatory,
) -> None:
    first, second = sky.open_campaign("first"), sky.open_campaign("second")
    sky.observe(first, 60)
    sky.observe(second, 60)

    plan_due([first], sessions=sky.sessions, doorbell=Doorbell(None))

    assert sky.live_run(first, RunKind.FULL) is not None
    assert sky.live_run(second, RunKind.FULL) is None


def test_a_campaign_whose_policy_cannot_be_read_keeps_no_other_from_learning(
    sky: Observatory, caplog: pytest.LogCaptureFixture
) -> None:
    """All were planned in one transaction: the first bad one stopped every campaign."""
    broken, sound = sky.open_campaign("broken"), sky.open_campaign("sound")
    for campaign_id in (broken, sound):
        sky.observe(campaign_id, 60)
    with sky.sessions.begin() as session:
        session.get_one(Campaign, broken).retrain = {"version": 99}

    swept(sky, None)

    assert sky.live_run(sound, RunKind.FULL) is not None
    assert sky.live_run(broken, RunKind.FULL) is None
    assert f"campaign {broken}: nothing can be planned" in caplog.text
