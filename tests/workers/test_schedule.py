import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import select, text

from al_service.local.processes import wait_until
from al_service.rounds import leasing
from al_service.rounds.doorbell import Doorbell
from al_service.rounds.readiness import PULSE, SCHEDULE
from al_service.settings import Settings
from db.tables import Campaign, Lease, WorkerSeen
from db.vocabulary import LeaseState
from tests.conftest import Database
from tests.db.factories import make_campaign, make_pool
from tests.workers.conftest import Broker, Start
from workers.schedule import keep

OFTEN = {"AL_SWEEP_SECONDS": "0.2"}
OLD_LEASE = """
    UPDATE lease SET opened_at = opened_at - interval '2 days',
        expires_at = expires_at - interval '2 days'
"""


@pytest.fixture
def campaign_id(database: Database) -> int:
    with database.sessions.begin() as session:
        make_pool(session)
        return make_campaign(session).id


def test_it_sweeps_itself_without_any_worker(
    start: Start, database: Database, campaign_id: int
) -> None:
    """A scoring run of an hour kept the one score worker from closing a lease."""
    with database.sessions.begin() as session:
        campaign = session.get_one(Campaign, campaign_id)
        leasing.ask(session, campaign, labeler="ann", size=2)
        session.execute(text(OLD_LEASE))
    start("schedule", **OFTEN)

    def expired() -> bool:
        with database.sessions() as session:
            return session.scalars(select(Lease.state)).one() is LeaseState.EXPIRED

    assert wait_until(expired, seconds=60)


def test_it_rings_for_what_it_finds(
    start: Start, broker: Broker, database: Database, campaign_id: int
) -> None:
    assert campaign_id
    with database.sessions.begin() as session:
        session.execute(text("UPDATE run SET rung_at = now() - interval '1 hour'"))
    start("schedule", **OFTEN)
    with broker.client() as client:
        assert wait_until(lambda: client.llen("score") == 1, seconds=60)


def test_it_outlives_its_broker_and_goes_on_sweeping(
    start: Start, broker: Broker, database: Database, campaign_id: int
) -> None:
    broker.kill()
    with database.sessions.begin() as session:
        session.execute(text("UPDATE run SET rung_at = now() - interval '1 hour'"))
    schedule = start("schedule", **OFTEN)
    assert wait_until(lambda: schedule.said("cannot be reached"), seconds=60)
    before = swept_at(database)
    assert wait_until(lambda: swept_at(database) > before, seconds=30)
    assert schedule.stop() == 0
    assert campaign_id


def test_a_sweep_that_fails_is_tried_again_and_leaves_no_sign_of_success(
    start: Start, database: Database, tmp_path: Path
) -> None:
    with database.sessions.begin() as session:
        session.execute(text("ALTER TABLE lease RENAME TO gone"))
    schedule = start("schedule", **OFTEN)
    assert wait_until(lambda: schedule.said("this sweep failed"), seconds=60)
    assert not (tmp_path / "home" / "schedule.pulse").exists()
    assert swept_at(database) == 0
    with database.sessions.begin() as session:
        session.execute(text("ALTER TABLE gone RENAME TO lease"))
    assert wait_until(lambda: swept_at(database) > 0, seconds=30)
    assert schedule.stop() == 0


def test_its_pulse_shows_that_it_lives(start: Start, tmp_path: Path) -> None:
    pulse = tmp_path / "home" / "schedule.pulse"
    schedule = start("schedule", **OFTEN)
    assert wait_until(pulse.exists, seconds=60)
    before = pulse.stat().st_mtime_ns
    assert wait_until(lambda: pulse.stat().st_mtime_ns > before, seconds=10)
    assert pulse.stat().st_mtime <= time.time()
    assert schedule.stop() == 0


def swept_at(database: Database) -> float:
    """When the schedule has last shown itself, in seconds since 1970; 0 for never."""
    with database.sessions() as session:
        moment = session.scalar(
            select(WorkerSeen.seen_at).where(WorkerSeen.queue == SCHEDULE)
        )
    return moment.timestamp() if moment else 0.0


def test_it_outlives_a_folder_that_it_cannot_write(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """An error of the file system ended the schedule, and with it every sweep."""
    home, stop = tmp_path / "home", Event()
    home.write_text("no folder")
    settings = Settings(home=home, sweep_seconds=0.05)
    with ThreadPoolExecutor(1) as pool:
        kept = pool.submit(
            keep,
            settings,
            sessions=database.sessions,
            doorbell=Doorbell(None),
            stop=stop,
        )
        try:
            assert wait_until(lambda: "this sweep failed" in caplog.text, seconds=30)
            home.unlink()
            assert wait_until((home / PULSE).exists, seconds=30)
        finally:
            stop.set()
        kept.result()
