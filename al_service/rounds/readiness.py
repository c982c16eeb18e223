"""Whether anybody works: who shows himself, and what the service needs to go on."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy.orm import Session

from db.migrations.upgrade import current_revision, head_revision
from db.repositories import progress as facts

SCHEDULE: Final = "schedule"
"""The role of the process that sweeps, and the queue under which it shows itself."""

PULSE: Final = "schedule.pulse"
"""File in the home, touched by every sweep that succeeded: how a health check on the
same machine sees the schedule."""

WORKERS_KEPT: Final = timedelta(days=1)
"""A worker is looked for within seconds; the row of one that is gone helps nobody."""


@dataclass(frozen=True)
class Need:
    """One thing that the service needs."""

    name: str
    ok: bool
    detail: str


def worker_seen(session: Session, name: str, queue: str) -> None:
    """Note that a worker lives; of the schedule, that it has swept."""
    facts.see_worker(session, name, queue)


def forget_workers(session: Session) -> int:
    """Forget workers that are gone for good; answers how many."""
    return facts.forget_workers(session, WORKERS_KEPT)


def worker_age(session: Session, queue: str, *, host: str) -> float | None:
    """Seconds since a worker of a queue showed itself on a host; None for never."""
    for seen in facts.seen_workers(session, WORKERS_KEPT):  # the latest first
        if seen.queue == queue and seen.name.startswith(f"{host}:"):
            return seen.seconds
    return None


def queue_ages(session: Session) -> dict[str, float]:
    """Queue to the seconds since one of its workers showed itself."""
    ages: dict[str, float] = {}
    for seen in facts.seen_workers(session, WORKERS_KEPT):  # the latest first
        ages.setdefault(seen.queue, seen.seconds)
    return ages


def readiness(
    session: Session, *, worker_within: timedelta, sweep_within: timedelta
) -> list[Need]:
    """What the service needs of its database.

    Args:
        session: reads in its transaction.
        worker_within: a worker that showed itself within this time lives.
        sweep_within: time brings nothing any more once no sweep succeeded for so long.

    Returns:
        Tables of today, a worker that lives, a schedule that sweeps: one line each.
    """
    return [
        Need("database", True, "answers"),
        _migrations(session),
        _worker(session, worker_within),
        _sweep(session, sweep_within),
    ]


def _migrations(session: Session) -> Need:
    found, expected = current_revision(session.connection()), head_revision()
    return Need(
        "migrations",
        found == expected,
        f"at {found}"
        if found == expected
        else f"at {found}, expected {expected}: run `al db upgrade`",
    )


def _worker(session: Session, within: timedelta) -> Need:
    for seen in facts.seen_workers(session, within):  # the latest first
        if seen.queue != SCHEDULE:
            return Need("worker", True, f"{seen.name} seen {seen.seconds:.0f} s ago")
    return Need(
        "worker",
        False,
        f"no worker seen for {within.total_seconds():.0f} s: runs stay planned",
    )


def _sweep(session: Session, within: timedelta) -> Need:
    age = queue_ages(session).get(SCHEDULE)
    if age is not None and age <= within.total_seconds():
        return Need("sweep", True, f"succeeded {age:.0f} s ago")
    last = "none succeeded in a day" if age is None else f"the last one {age:.0f} s ago"
    return Need(
        "sweep",
        False,
        f"{last}, expected within {within.total_seconds():.0f} s: leases do not expire"
        " and nothing is planned; see the log of `al worker --schedule`",
    )
