"""A pool's spectra are scanned by a worker that nobody told, and that is killed."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from sqlalchemy import func, select

from al_service.local.processes import wait_until
from al_service.rounds import pools
from al_service.rounds.scanning import scan_state
from al_service.survey.photometry_columns import PHOTOMETRY_COLUMNS
from al_service.survey.pool_arrays import PoolColumns, write_pool_arrays
from al_service.survey.spectra import N_PIXELS
from db.session import create_database_engine, create_sessions
from db.tables import PoolScan, RedshiftScan
from db.vocabulary import ScanState
from tests.conftest import Database
from tests.features.scan.skies import emission_line_galaxy, noisy
from tests.loop.stack import WorkerStack

N_SPECTRA = 700
"""Four parts: some seconds of work, long enough to be killed in the middle."""

PATIENCE_SECONDS = 180.0


@pytest.fixture
def stack(database: Database) -> Iterator[WorkerStack]:
    with TemporaryDirectory(prefix="al-loop-") as folder:
        stack = WorkerStack(Path(folder), database_url=database.url)
        yield stack
        stack.close()


def write_pool(path: Path) -> None:
    flux, ivar = noisy(emission_line_galaxy(0.1), 20.0, seed=1)
    names = np.array([f"{number:05d}" for number in range(N_SPECTRA)])
    write_pool_arrays(
        path,
        PoolColumns(
            object_ids=names,
            group_ids=names,
            ra=np.zeros(N_SPECTRA),
            dec=np.zeros(N_SPECTRA),
            known_values=np.zeros((N_SPECTRA, 0)),
            known_errors=np.zeros((N_SPECTRA, 0)),
        ),
        photometry=np.ones((N_SPECTRA, len(PHOTOMETRY_COLUMNS))),
        spectrum=np.broadcast_to(
            np.concatenate([flux, ivar]), (N_SPECTRA, 2, N_PIXELS)
        ),
    )


def test_the_schedule_finds_an_unscanned_pool_and_a_killed_worker_loses_nothing(
    database: Database, stack: WorkerStack
) -> None:
    engine = create_database_engine(database.url)
    sessions = create_sessions(engine)
    folder = f"{pools.POOLS_FOLDER}/spectra"
    write_pool(stack.artifacts / folder)
    for role in ("train", "schedule"):
        stack.start(role)
    with sessions.begin() as session:
        pool_id = pools.import_pool(
            session, "spectra", artifacts=stack.artifacts, folder=folder, seed=0
        ).id

    def row() -> PoolScan | None:
        with sessions() as session:
            return scan_state(session, pool_id)

    def is_under_way() -> bool:
        found = row()
        return (
            found is not None
            and found.state is ScanState.RUNNING
            and found.progress > 0
        )

    def is_done() -> bool:
        found = row()
        return found is not None and found.state is ScanState.DONE

    assert wait_until(is_under_way, seconds=PATIENCE_SECONDS), stack.log("train")
    stack.kill("train")
    stack.start("train")
    assert wait_until(is_done, seconds=PATIENCE_SECONDS), stack.log("train")
    found = row()
    assert found is not None
    assert found.attempts == 2
    with sessions() as session:
        assert session.scalar(select(func.count(RedshiftScan.z))) == N_SPECTRA
    engine.dispose()
