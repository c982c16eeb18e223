"""A simulated pool is published at once and once; campaigns split it by real galaxy."""

from pathlib import Path

import pytest
from sqlalchemy import select

from al_service.errors import Conflict, InvalidInput
from al_service.rounds.pools import find_pool, list_pools
from al_service.rounds.simulating import simulate_pool
from al_service.survey.simulation.settings import default_settings
from al_service.survey.splits import split_of
from db.tables import SkyObject
from tests.conftest import Database

N = 130


class Interrupted(BaseException):
    """As a signal does: no error of ours, and no `except Exception` sees it."""


def run(
    database: Database,
    folder: Path,
    *,
    name: str = "sim",
    n: int = N,
    seed: int = 0,
    stop_after: int | None = None,
) -> tuple[str, bool]:
    def progress(stage: str, done: int, total: int | None) -> None:
        del stage, total
        if stop_after is not None and done >= stop_after:
            raise Interrupted

    return simulate_pool(
        database.sessions,
        name,
        n,
        default_settings(),
        artifacts=folder,
        seed=seed,
        progress=progress,
    )


def test_a_simulated_pool_has_every_modality_and_the_splits_of_its_galaxies(
    database: Database, tmp_path: Path
) -> None:
    digest, unchanged = run(database, tmp_path)
    assert not unchanged
    with database.sessions() as session:
        pool = find_pool(session, "sim")
        rows = session.scalars(select(SkyObject)).all()
        assert pool.manifest_digest == digest
        assert set(pool.modalities) == {"photometry", "image", "spectrum"}
        assert len(pool.known_targets) == 9
        assert len(rows) == N
        for row in rows:
            assert row.split == split_of(0, row.group_id)


def test_one_that_is_interrupted_leaves_nothing_to_see_and_is_repeated(
    database: Database, tmp_path: Path
) -> None:
    with pytest.raises(Interrupted):
        run(database, tmp_path, stop_after=64)
    with database.sessions() as session:
        assert list_pools(session) == []
    assert not [path for path in (tmp_path / "pools").iterdir() if path.is_dir()]
    digest, _ = run(database, tmp_path)
    again = run(database, tmp_path)
    assert again == (digest, True)


def test_a_name_stands_for_one_survey(database: Database, tmp_path: Path) -> None:
    run(database, tmp_path)
    with pytest.raises(Conflict, match="exists already with other content"):
        run(database, tmp_path, seed=1)
    with pytest.raises(Conflict, match="exists already with other content"):
        run(database, tmp_path, n=N - 1)
    with pytest.raises(InvalidInput, match="pool name"):
        run(database, tmp_path, name="not a name")
