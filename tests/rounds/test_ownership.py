import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import NoReturn

import pytest
from sqlalchemy.orm import Session

from al_service.rounds.ownership import (
    OWNER,
    UNFINISHED,
    ForeignArtifacts,
    check_owner,
    own_artifacts,
)
from db.repositories.identity import database_identity
from tests.conftest import Database


@pytest.fixture(params=["links", "no links"])
def folder(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A folder of artifacts that does not exist yet, on mounts of both kinds."""

    def refuse(*_: object) -> NoReturn:
        raise OSError(errno.EPERM, "this mount knows no links")

    if request.param == "no links":
        monkeypatch.setattr(os, "link", refuse)
    return tmp_path / "artifacts"


def test_a_folder_belongs_to_the_first_database_that_works_in_it(
    session: Session, database: Database, folder: Path
) -> None:
    """Two databases on one folder deleted each other's checkpoints after an hour."""
    ours = database_identity(session)
    assert not check_owner(folder, ours)  # nobody's yet
    own_artifacts(folder, ours)
    own_artifacts(folder, ours)
    with database.sessions() as other:
        theirs = database_identity(other)
    assert theirs != ours
    for look in (check_owner, own_artifacts):
        with pytest.raises(ForeignArtifacts, match="AL_ARTIFACTS"):
            look(folder, theirs)
    assert [path.name for path in folder.iterdir()] == [OWNER]


def test_workers_of_equal_process_ids_take_it_together(folder: Path) -> None:
    """Containers number their processes alike: one deleted the other's partial file."""
    n, together = 8, Barrier(8)

    def take(_: int) -> None:
        together.wait()
        own_artifacts(folder, "7-1")

    with ThreadPoolExecutor(n) as pool:
        list(pool.map(take, range(n)))
    assert (folder / OWNER).read_text() == "7-1"
    assert [path.name for path in folder.iterdir()] == [OWNER]


def test_of_two_databases_at_once_one_takes_it(folder: Path) -> None:
    n, together = 8, Barrier(8)

    def take(number: int) -> bool:
        together.wait()
        try:
            own_artifacts(folder, f"{number}-1")
        except ForeignArtifacts:
            return False
        return True

    with ThreadPoolExecutor(n) as pool:
        took = list(pool.map(take, range(n)))
    assert sum(took) == 1
    assert (folder / OWNER).read_text() == f"{took.index(True)}-1"


def test_a_folder_that_is_taken_is_only_read(folder: Path) -> None:
    own_artifacts(folder, "7-1")
    before = folder.stat().st_mtime_ns
    own_artifacts(folder, "7-1")
    assert folder.stat().st_mtime_ns == before


def test_a_name_whose_writer_died_is_nobody_s_and_not_taken_over(
    tmp_path: Path,
) -> None:
    (tmp_path / OWNER).touch()
    with pytest.raises(ForeignArtifacts) as refused:
        own_artifacts(tmp_path, "7-1")
    assert UNFINISHED in str(refused.value)
    assert str(tmp_path / OWNER) in str(refused.value)


def test_a_restored_database_takes_the_folder_once_a_person_says_so(
    session: Session, tmp_path: Path
) -> None:
    ours = database_identity(session)
    (tmp_path / OWNER).write_text("7-1")
    with pytest.raises(ForeignArtifacts, match="restored"):
        own_artifacts(tmp_path, ours)
    (tmp_path / OWNER).unlink()
    own_artifacts(tmp_path, ours)
    assert (tmp_path / OWNER).read_text() == ours
