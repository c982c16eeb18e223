import threading
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from al_service.errors import Conflict, CorruptArtifact, NotFound
from al_service.rounds.pools import (
    ensure_builtin_pools,
    find_pool,
    import_pool,
    list_pools,
)
from al_service.survey.pool_arrays import PoolArrays
from al_service.survey.sdss10k import write_sdss10k
from al_service.survey.splits import split_of
from db.repositories.pools import start_import
from db.tables import Pool, SkyObject
from db.vocabulary import Split
from tests.conftest import Database

N_GALAXIES = 10_000


def count_objects(session: Session, split: Split | None = None) -> int:
    counted = select(func.count(SkyObject.id))
    if split is not None:
        counted = counted.where(SkyObject.split == split)
    return session.scalar(counted) or 0


def test_the_ten_thousand_galaxies_exist_without_an_import(
    session: Session, tmp_path: Path
) -> None:
    ensure_builtin_pools(session, tmp_path)

    pool = find_pool(session, "sdss10k")
    assert (pool.n_objects, count_objects(session)) == (N_GALAXIES, N_GALAXIES)
    assert pool.known_targets == ["z"]
    assert pool.modalities == ["photometry"]
    arrays = PoolArrays.open(tmp_path / pool.arrays, digest=pool.manifest_digest)
    first = session.scalars(select(SkyObject).where(SkyObject.row == 0)).one()
    assert first.object_id == arrays.object_ids[0]
    assert (first.ra, first.dec) == (arrays.ra[0], arrays.dec[0])


def test_a_galaxy_is_on_the_same_side_everywhere(
    session: Session, tmp_path: Path
) -> None:
    ensure_builtin_pools(session, tmp_path)

    share = count_objects(session, Split.EVALUATION) / N_GALAXIES
    assert share == pytest.approx(0.2, abs=0.016)  # four binomial deviations
    seed = find_pool(session, "sdss10k").seed
    for one in session.scalars(select(SkyObject).limit(200)):
        assert one.split.value == split_of(seed, one.group_id)


def test_several_processes_that_start_at_once_register_it_once(
    database: Database, tmp_path: Path
) -> None:
    start = threading.Barrier(4)
    problems: list[BaseException] = []

    def ensure() -> None:
        try:
            start.wait(60.0)
            with database.sessions.begin() as session:
                ensure_builtin_pools(session, tmp_path)
        except BaseException as error:
            problems.append(error)
            raise

    threads = [threading.Thread(target=ensure) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60.0)

    assert problems == []
    with database.sessions.begin() as session:
        ensure_builtin_pools(session, tmp_path)
        assert len(list_pools(session)) == 1
        assert count_objects(session) == N_GALAXIES


def test_a_pool_that_is_being_filled_is_invisible(session: Session) -> None:
    start_import(
        session, "half", seed=0, arrays="pools/half", modalities=[], known_targets=[]
    )

    assert list_pools(session) == []
    with pytest.raises(NotFound, match="half"):
        find_pool(session, "half")


def test_arrays_that_are_not_those_of_the_database_are_refused(
    session: Session, tmp_path: Path
) -> None:
    ensure_builtin_pools(session, tmp_path)
    manifest = tmp_path / "pools" / "sdss10k" / "manifest.json"
    manifest.write_text(manifest.read_text() + " ")

    with pytest.raises(CorruptArtifact, match="sdss10k"):
        ensure_builtin_pools(session, tmp_path)


def test_arrays_that_were_lost_are_written_again(
    session: Session, tmp_path: Path
) -> None:
    ensure_builtin_pools(session, tmp_path)
    elsewhere = tmp_path / "new disk"

    ensure_builtin_pools(session, elsewhere)

    pool = session.scalars(select(Pool)).one()
    PoolArrays.open(elsewhere / pool.arrays, digest=pool.manifest_digest, verify=True)


def test_a_name_that_is_taken_is_refused(session: Session, tmp_path: Path) -> None:
    ensure_builtin_pools(session, tmp_path)
    write_sdss10k(tmp_path / "pools" / "again")

    with pytest.raises(Conflict, match="sdss10k"):
        import_pool(
            session, "sdss10k", artifacts=tmp_path, folder="pools/again", seed=0
        )
