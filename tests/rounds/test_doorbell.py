import socket
import threading
import time
from collections.abc import Iterator

import pytest
from celery import Celery

from al_service.rounds import doorbell
from al_service.rounds.doorbell import Doorbell
from db.vocabulary import RunKind

LONGEST_WAIT = 2.0
"""Seconds; a client of Celery left to itself waits for minutes."""


@pytest.fixture
def silent_broker() -> Iterator[str]:
    """Takes connections and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"


@pytest.mark.parametrize("kind", list(RunKind))
def test_a_ring_names_the_task_and_the_run(broker_url: str, kind: RunKind) -> None:
    bell = Doorbell(broker_url)
    bell.run(7, kind)
    bell.close()
    task = "train" if kind is RunKind.FULL else "score"
    app = Celery("test", broker=broker_url, set_as_current=False)
    with app.connection_for_read() as connection:
        message = connection.SimpleQueue(task).get(timeout=5)
        assert message.headers["task"] == f"workers.tasks.{task}"
        assert message.payload[0] == [7]
        assert message.headers["expires"] is not None
        message.ack()
    app.close()


def test_without_a_broker_it_is_silent() -> None:
    bell = Doorbell(None)
    bell.plan(1)
    bell.run(1, RunKind.HEAD)
    bell.close()


def test_a_dead_broker_is_logged_never_raised(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bell = Doorbell("redis://127.0.0.1:1/0")
    bell.plan(3)
    bell.close()
    assert "plan(3,): the broker cannot be reached" in caplog.text


def test_a_silent_broker_holds_no_request_up(silent_broker: str) -> None:
    bell = Doorbell(silent_broker)
    began = time.monotonic()
    bell.plan(1)
    assert time.monotonic() - began < LONGEST_WAIT
    bell.close()


def test_after_a_failure_the_broker_is_left_alone_for_a_while(
    silent_broker: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    bell = Doorbell(silent_broker)
    bell.plan(1)
    bell.plan(2)
    assert "plan(2,)" not in caplog.text
    bell.close()
    monkeypatch.setattr(doorbell, "MUTE_SECONDS", 0.0)
    bell = Doorbell(silent_broker)
    bell.plan(1)
    bell.plan(2)
    assert "plan(2,)" in caplog.text
    bell.close()


def test_many_requests_may_ring_at_once(broker_url: str) -> None:
    bell = Doorbell(broker_url)
    threads = [threading.Thread(target=bell.plan, args=(id_,)) for id_ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bell.close()
    app = Celery("test", broker=broker_url, set_as_current=False)
    with app.connection_for_read() as connection:
        queue = connection.SimpleQueue("score")
        heard = set()
        for _ in range(30):
            message = queue.get(timeout=5)
            heard.add(message.payload[0][0])
            message.ack()
        queue.close()
    app.close()
    assert heard == set(range(30))
