import threading
from pathlib import Path

import pytest
from sqlalchemy import text, update

from al_service.local.processes import wait_until
from al_service.rounds import claiming
from al_service.rounds.claiming import Claim
from al_service.rounds.heart import Heart, Stop
from db.session import create_database_engine, create_sessions
from db.tables import Run
from db.vocabulary import RunKind
from tests.conftest import Database
from tests.rounds.observatory import Observatory, build_observatory

PATIENCE_SECONDS = 30.0


@pytest.fixture
def sky(database: Database, tmp_path: Path) -> Observatory:
    return build_observatory(database.sessions, tmp_path)


@pytest.fixture
def claim(sky: Observatory) -> Claim:
    campaign_id = sky.open_campaign()
    live = sky.live_run(campaign_id, RunKind.SCORE)
    assert live is not None
    with sky.sessions.begin() as session:
        claimed = claiming.claim(
            session, live.id, worker="we", stale_after=sky.settings.stale_after
        )
    assert claimed is not None
    return claimed


def heart_of(claim: Claim, sky: Observatory) -> Heart:
    return Heart(
        claim.beat,
        of="a run",
        sessions=sky.sessions,
        every_seconds=0.02,
        shutting_down=lambda: False,
    )


def heard(heart: Heart, stop: Stop) -> bool:
    return wait_until(lambda: heart.stop is stop, seconds=PATIENCE_SECONDS)


def test_a_beating_heart_shows_life_and_progress(
    sky: Observatory, claim: Claim
) -> None:
    first = sky.run(claim.run_id).heartbeat_at
    assert first is not None

    with heart_of(claim, sky) as heart:
        heart.stage(0.5, 0.7)(0.5)
        assert wait_until(
            lambda: sky.run(claim.run_id).progress == pytest.approx(0.6),
            seconds=PATIENCE_SECONDS,
        )
        assert not heart.should_stop()

    last = sky.run(claim.run_id).heartbeat_at
    assert last is not None
    assert last > first
    alive = {thread.name for thread in threading.enumerate()}
    assert f"heart of run {claim.run_id}" not in alive


@pytest.mark.parametrize(
    ("change", "stop"),
    [
        ({"cancel_requested": True}, Stop.CANCELED),
        ({"deadline_at": text("now() - interval '1 second'")}, Stop.DEADLINE),
        ({"fence": 99}, Stop.LOST),
    ],
)
def test_a_heart_hears_when_to_stop(
    sky: Observatory, claim: Claim, change: dict[str, object], stop: Stop
) -> None:
    with heart_of(claim, sky) as heart:
        with sky.sessions.begin() as session:
            session.execute(update(Run).values(**change))

        assert heard(heart, stop)
        assert heart.should_stop()


def test_a_heart_beats_until_the_work_has_ended_whatever_it_heard(
    sky: Observatory, claim: Claim
) -> None:
    """A long step that hears late must not be taken up by another worker meanwhile."""
    with heart_of(claim, sky) as heart:
        with sky.sessions.begin() as session:
            session.execute(update(Run).values(cancel_requested=True))
        assert heard(heart, Stop.CANCELED)
        first = sky.run(claim.run_id).heartbeat_at
        assert first is not None

        def beats_on() -> bool:
            last = sky.run(claim.run_id).heartbeat_at
            return last is not None and last > first

        assert wait_until(beats_on, seconds=PATIENCE_SECONDS)
        with sky.sessions.begin() as session:
            session.execute(update(Run).values(fence=99))
        silent = sky.run(claim.run_id).heartbeat_at
        assert heart.stop is Stop.CANCELED, "the first answer counts"
    assert sky.run(claim.run_id).heartbeat_at == silent


def test_a_process_that_is_told_to_end_stops_without_asking_the_database(
    sky: Observatory, claim: Claim
) -> None:
    ending = threading.Event()
    heart = Heart(
        claim.beat,
        of="a run",
        sessions=sky.sessions,
        every_seconds=60.0,
        shutting_down=ending.is_set,
    )
    with heart:
        assert heart.stop is None
        ending.set()
        assert heart.stop is Stop.SHUTDOWN


def test_a_database_that_is_away_for_a_moment_ends_nothing(
    claim: Claim, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine = create_database_engine(f"postgresql+psycopg://al@/al?host={tmp_path}")
    heart = Heart(
        claim.beat,
        of="a run",
        sessions=create_sessions(engine),
        every_seconds=0.02,
        shutting_down=lambda: False,
    )

    with heart:
        assert wait_until(
            lambda: "no heartbeat" in caplog.text, seconds=PATIENCE_SECONDS
        )
        assert not heart.should_stop()
    engine.dispose()
