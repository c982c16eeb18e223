from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from al_service.rounds import readiness
from al_service.rounds.readiness import SCHEDULE, Need
from db.tables import WorkerSeen

SOON = timedelta(seconds=30)


def needs(session: Session) -> dict[str, Need]:
    found = readiness.readiness(session, worker_within=SOON, sweep_within=SOON)
    return {need.name: need for need in found}


def test_workers_of_yesterday_are_forgotten(session: Session) -> None:
    """Every worker process has a name of its own: the table grew for ever."""
    readiness.worker_seen(session, "host:1", "train")
    session.execute(
        update(WorkerSeen).values(seen_at=WorkerSeen.seen_at - timedelta(hours=25))
    )
    readiness.worker_seen(session, "host:2", "train")
    assert readiness.forget_workers(session) == 1
    assert session.scalars(select(WorkerSeen.name)).all() == ["host:2"]


def test_a_worker_is_looked_for_on_its_host_and_queue(session: Session) -> None:
    readiness.worker_seen(session, "host:1", "train")
    session.execute(
        update(WorkerSeen).values(seen_at=WorkerSeen.seen_at - timedelta(minutes=1))
    )
    readiness.worker_seen(session, "hostess:1", "train")
    age = readiness.worker_age(session, "train", host="host")
    assert age == pytest.approx(60, abs=10)
    assert readiness.worker_age(session, "score", host="host") is None


def test_a_service_without_workers_is_not_ready(session: Session) -> None:
    """Pain: an endless spinner and no error where no worker runs."""
    readiness.worker_seen(session, "host:1", SCHEDULE)
    found = needs(session)
    assert {name: need.ok for name, need in found.items()} == {
        "database": True,
        "migrations": True,
        "worker": False,
        "sweep": True,
    }
    readiness.worker_seen(session, "host:2", "train")
    readiness.worker_seen(session, "host:2", "score")
    assert all(need.ok for need in needs(session).values())


def test_a_sweep_that_has_not_succeeded_for_a_while_is_noticed(
    session: Session,
) -> None:
    """Leases stopped expiring, and every line of `/readyz` was green."""
    readiness.worker_seen(session, "host:1", "train")
    assert "none succeeded" in needs(session)["sweep"].detail
    readiness.worker_seen(session, "host:2", SCHEDULE)
    assert needs(session)["sweep"].ok
    session.execute(
        update(WorkerSeen)
        .where(WorkerSeen.queue == SCHEDULE)
        .values(seen_at=WorkerSeen.seen_at - timedelta(minutes=5))
    )
    found = needs(session)
    assert not found["sweep"].ok
    assert "the last one 300 s ago" in found["sweep"].detail
    assert found["worker"].ok
