"""What a client hears when the database fails, and what it may do then."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from al_service.api.app import create_app
from tests.api.conftest import API, Door, Sky
from tests.api.serving import served
from tests.api.test_errors import check_problem


@contextmanager
def cut(door: Door, moment: str) -> Iterator[None]:
    """End every connection at this moment of its session."""

    def terminate(session: Session, *given: Any) -> None:  # SQLAlchemy's
        connection = given[-1] if given else session
        process = connection.scalar(text("SELECT pg_backend_pid()"))
        with door.service.engine.connect() as other:
            other.execute(
                text("SELECT pg_terminate_backend(:it, 5000)"), {"it": process}
            )

    event.listen(door.service.sessions, moment, terminate)
    try:
        yield
    finally:
        event.remove(door.service.sessions, moment, terminate)


def test_a_failure_of_ours_is_a_500_that_says_nothing_about_the_inside(
    door: Door, campaign: str
) -> None:
    with door.service.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE run RENAME TO gone")
    try:
        answer = door.viewer.get(f"{API}/campaigns/{campaign}")
    finally:
        with door.service.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE gone RENAME TO run")
    check_problem(answer, 500)
    problem = answer.json()
    assert problem["instance"].startswith("urn:uuid:")
    for leak in ("relation", "SELECT", "psycopg", "Traceback"):
        assert leak not in answer.text


def test_a_database_that_is_away_is_a_503_that_may_be_tried_again(
    sky: Sky,
) -> None:
    nowhere = "postgresql+psycopg://al@127.0.0.1:1/al"
    app = create_app(sky.settings.model_copy(update={"database_url": nowhere}))
    headers = {"Authorization": "Bearer al_x"}
    with served(app) as url, httpx.Client(base_url=url, trust_env=False) as http:
        answer = http.get(f"{API}/campaigns", headers=headers)
        check_problem(answer, 503, "database-unavailable")
        assert int(answer.headers["retry-after"]) > 0
        assert "127.0.0.1" not in answer.text
        assert http.get("/healthz").status_code == 200
        ready = http.get("/readyz")
        assert ready.status_code == 503
        assert not ready.json()["ready"]
        assert "127.0.0.1" not in ready.text


def test_a_connection_lost_at_the_commit_leaves_the_outcome_unknown(
    door: Door, campaign: str
) -> None:
    """It was "nothing was changed": the commit may have arrived, and its answer not."""
    place = f"{API}/campaigns/{campaign}/batches"
    key = {"Idempotency-Key": "lost"}
    with cut(door, "before_commit"):
        answer = door.labeler.post(place, json={"size": 1}, headers=key)
        read = door.viewer.get(f"{API}/campaigns/{campaign}")
    check_problem(answer, 503, "database-unavailable")
    assert "unknown" in answer.json()["detail"]
    assert "same Idempotency-Key" in answer.json()["detail"]
    assert door.labeler.post(place, json={"size": 1}, headers=key).status_code == 201
    check_problem(read, 503, "database-unavailable")
    assert "nothing was changed" in read.json()["detail"], "it only looked"


def test_a_connection_lost_before_the_commit_has_changed_nothing(
    door: Door, campaign: str
) -> None:
    place = f"{API}/campaigns/{campaign}/batches"
    with cut(door, "after_begin"):
        answer = door.labeler.post(place, json={"size": 1})
    check_problem(answer, 503, "database-unavailable")
    assert "nothing was changed" in answer.json()["detail"]


def test_a_row_that_another_holds_is_no_database_that_is_away(
    door: Door, campaign: str
) -> None:
    """It was "the database does not answer", of locks and deadlocks as well."""
    place = f"{API}/campaigns/{campaign}"
    with door.service.engine.begin() as holder:
        holder.execute(text("SELECT FROM campaign FOR UPDATE"))
        with lock_timeout(door, "50ms"):
            answer = door.admin.patch(place, json={"state": "paused"})
    check_problem(answer, 503, "database-unavailable")
    assert "holds the same rows" in answer.json()["detail"]
    assert "nothing was changed" in answer.json()["detail"]


@contextmanager
def lock_timeout(door: Door, time: str) -> Iterator[None]:
    """Let every transaction of the service wait no longer for a row."""

    def limit(_session: Session, _transaction: Any, connection: Any) -> None:
        connection.execute(text(f"SET LOCAL lock_timeout = '{time}'"))

    event.listen(door.service.sessions, "after_begin", limit)
    try:
        yield
    finally:
        event.remove(door.service.sessions, "after_begin", limit)
