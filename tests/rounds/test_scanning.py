"""Scans of pools: claimed, lost, taken up again, published once."""

import math
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from al_service.features.scan.scanning import SCAN_VERSION
from al_service.rounds import pools, scan_claims
from al_service.rounds.doorbell import Doorbell
from al_service.rounds.scan_claims import ScanClaim
from al_service.rounds.scanning import Progress, ensure_scanned, scan_state
from al_service.rounds.sweeping import sweep
from al_service.settings import Settings
from db.repositories import scans
from db.tables import PoolScan, RedshiftScan, SkyObject
from db.vocabulary import ScanState
from tests.conftest import Database
from tests.db.factories import make_pool
from tests.rounds.spectral_pools import REDSHIFTS, import_spectral_pool


class Archive:
    """One pool with spectra, its arrays and its database."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.settings = Settings(home=folder, max_attempts=2)
        self.artifacts = self.settings.artifacts_folder
        self.pool_id = import_spectral_pool(database.sessions, self.artifacts)

    def scan(
        self,
        *,
        shutting_down: bool = False,
        again: bool = False,
        on_progress: Progress = lambda _done, _total: None,
    ) -> bool:
        return ensure_scanned(
            self.pool_id,
            sessions=self.database.sessions,
            artifacts=self.artifacts,
            worker="we",
            settings=self.settings,
            shutting_down=lambda: shutting_down,
            again=again,
            on_progress=on_progress,
        )

    def claim(self) -> ScanClaim | None:
        with self.database.sessions.begin() as session:
            return scan_claims.claim(
                session, self.pool_id, worker="they", settings=self.settings
            )

    def row(self) -> PoolScan:
        with self.database.sessions() as session:
            found = scan_state(session, self.pool_id)
        assert found is not None
        return found

    def fall_silent(self) -> None:
        """The worker that has it does not beat any more."""
        with self.database.sessions.begin() as session:
            session.execute(
                update(PoolScan).values(
                    heartbeat_at=PoolScan.heartbeat_at - timedelta(hours=1)
                )
            )

    def redshifts(self) -> dict[int, float]:
        """Row to redshift."""
        with self.database.sessions() as session:
            found = session.execute(
                select(SkyObject.row, RedshiftScan.z).join(
                    RedshiftScan, RedshiftScan.sky_object_id == SkyObject.id
                )
            )
            return dict(found.all())


@pytest.fixture
def archive(database: Database, tmp_path: Path) -> Archive:
    return Archive(database, tmp_path)


def test_what_the_scan_says_stands_beside_the_objects(archive: Archive) -> None:
    assert archive.scan()
    assert archive.redshifts() == pytest.approx(REDSHIFTS, abs=1e-3)
    row = archive.row()
    assert (row.state, row.version, row.progress) == (ScanState.DONE, SCAN_VERSION, 1.0)
    with archive.database.sessions() as session:
        found = session.scalars(select(RedshiftScan)).all()
    assert {one.spectral_class for one in found} == {"GALAXY"}
    assert all(one.confidence > 0.9 and 0 < one.z_error < 1e-2 for one in found)


def test_a_second_scan_finds_it_done(archive: Archive) -> None:
    assert archive.scan()
    with archive.database.sessions.begin() as session:
        session.execute(text("UPDATE redshift_scan SET confidence = 0.123"))
    assert not archive.scan()
    with archive.database.sessions() as session:
        assert set(session.scalars(select(RedshiftScan.confidence))) == {0.123}


def test_two_never_scan_one_pool_at_once(archive: Archive) -> None:
    assert archive.claim() is not None
    assert archive.claim() is None
    assert not archive.scan()
    assert archive.redshifts() == {}


def test_a_lost_scan_is_taken_up_and_the_lost_worker_publishes_nothing(
    archive: Archive,
) -> None:
    lost = archive.claim()
    assert lost is not None
    archive.fall_silent()
    assert archive.scan()
    with archive.database.sessions.begin() as session:
        assert not scans.finish(session, lost.pool_id, lost.fence)
        assert not scans.beat(session, lost.pool_id, lost.fence, 0.5)
    assert archive.row().state is ScanState.DONE


def test_of_two_that_have_scanned_a_pool_one_publishes(archive: Archive) -> None:
    """A worker falls silent, another takes its scan up; both come to the end."""
    published: list[bool] = []

    def fall_behind(done: int, total: int) -> None:
        if done == total and not published:
            archive.fall_silent()
            published.append(archive.scan())

    late = archive.scan(on_progress=fall_behind)

    assert (published, late) == ([True], False)
    row = archive.row()
    assert (row.state, row.fence, row.attempts) == (ScanState.DONE, 2, 2)
    assert archive.redshifts() == pytest.approx(REDSHIFTS, abs=1e-3)


def test_a_worker_that_is_told_to_end_gives_the_scan_back_with_no_attempt(
    archive: Archive,
) -> None:
    assert not archive.scan(shutting_down=True)
    row = archive.row()
    assert (row.state, row.attempts, row.heartbeat_at) == (ScanState.PLANNED, 0, None)
    assert archive.redshifts() == {}
    assert archive.scan()


def test_a_pool_that_cannot_be_read_fails_after_its_attempts_and_says_why(
    archive: Archive,
) -> None:
    folder = archive.artifacts / pools.POOLS_FOLDER / "spectral"
    away = folder.rename(folder.with_name("away"))
    assert not archive.scan()
    assert archive.row().state is ScanState.PLANNED
    assert not archive.scan()
    row = archive.row()
    assert row.state is ScanState.FAILED
    assert "manifest.json" in (row.message or "")
    away.rename(folder)
    assert not archive.scan()
    assert archive.scan(again=True)
    assert archive.row().message is None


def test_a_scan_whose_workers_are_lost_again_and_again_has_failed(
    archive: Archive,
) -> None:
    for _ in range(archive.settings.max_attempts):
        with archive.database.sessions.begin() as session:
            assert scan_claims.claim(
                session,
                archive.pool_id,
                worker="they",
                settings=archive.settings,
            )
        archive.fall_silent()
    sweep(
        sessions=archive.database.sessions,
        doorbell=Doorbell(None),
        settings=archive.settings,
    )
    assert archive.row().state is ScanState.FAILED
    assert "lost 2 times" in (archive.row().message or "")


def test_the_sweep_finds_pools_with_spectra_and_tells_one_caller(
    archive: Archive,
) -> None:
    with archive.database.sessions.begin() as session:
        make_pool(session, name="photometry alone")
        pools.ensure_builtin_pools(session, archive.artifacts)
        assert len(pools.list_pools(session)) == 3
    with archive.database.sessions.begin() as session:
        assert scan_claims.due(session, archive.settings) == [archive.pool_id]
        assert scan_claims.due(session, archive.settings) == []
        assert scan_claims.due(session, archive.settings, ring_after=timedelta(0)) == [
            archive.pool_id
        ]


def test_a_scan_that_is_done_or_under_way_needs_nobody(archive: Archive) -> None:
    assert archive.claim() is not None
    with archive.database.sessions.begin() as session:
        assert scan_claims.due(session, archive.settings, ring_after=timedelta(0)) == []
    archive.fall_silent()
    assert archive.scan()
    with archive.database.sessions.begin() as session:
        assert scan_claims.due(session, archive.settings, ring_after=timedelta(0)) == []


def test_a_newer_scan_replaces_what_an_older_one_has_found(archive: Archive) -> None:
    assert archive.scan()
    with archive.database.sessions.begin() as session:
        scans.plan_missing(session, SCAN_VERSION + 1)
    row = archive.row()
    assert (row.state, row.progress) == (ScanState.PLANNED, 0.0)
    assert archive.claim() is None, "an older program leaves it to a newer one"
    with archive.database.sessions.begin() as session:
        assert scans.replace_redshifts(session, archive.pool_id, []) == 0
    assert archive.redshifts() == {}


def test_a_scan_of_parts_that_lie_on_disk_reads_no_spectrum(archive: Archive) -> None:
    assert archive.scan()
    shutil.rmtree(
        archive.artifacts / pools.POOLS_FOLDER / "spectral" / "spectrum" / "c"
    )
    with archive.database.sessions.begin() as session:
        session.execute(text("DELETE FROM pool_scan"))
    assert archive.scan()
    assert archive.redshifts() == pytest.approx(REDSHIFTS, abs=1e-3)


@pytest.mark.parametrize(
    "change",
    [
        {"z": math.nan},
        {"z": -1.0},
        {"z_error": 0.0},
        {"confidence": 1.1},
        {"confidence": math.nan},
        {"gain": -1.0},
        {"gain": math.inf},
        {"spectral_class": ""},
    ],
)
def test_no_program_can_store_what_no_scan_says(
    archive: Archive, change: dict[str, object]
) -> None:
    with archive.database.sessions.begin() as session:
        session.execute(
            text(
                "INSERT INTO redshift_scan SELECT id, 0.1, 0.001, 0.9, 50, 'GALAXY'"
                " FROM sky_object WHERE row = 3"
            )
        )
    with (
        archive.database.sessions() as session,
        pytest.raises(IntegrityError, match="violates check constraint"),
    ):
        session.execute(update(RedshiftScan).values(change))
