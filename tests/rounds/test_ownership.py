from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from al_service.rounds.ownership import (
    OWNER,
    ForeignArtifacts,
    check_owner,
    own_artifacts,
)
from db.repositories.identity import database_identity
from tests.conftest import Database


def test_a_folder_belongs_to_the_first_database_that_works_in_it(
    session: Session, database: Database, tmp_path: Path
) -> None:
    """Two databases on one folder deleted each other's checkpoints after an hour."""
    folder = tmp_path / "artifacts"
    check_owner(session, folder)  # nobody's yet
    own_artifacts(session, folder)
    own_artifacts(session, folder)
    with database.sessions() as other:
        assert database_identity(other) != database_identity(session)
        for look in (check_owner, own_artifacts):
            with pytest.raises(ForeignArtifacts, match="AL_ARTIFACTS"):
                look(other, folder)
    assert [path.name for path in folder.iterdir()] == [OWNER]


def test_a_restored_database_takes_the_folder_once_a_person_says_so(
    session: Session, tmp_path: Path
) -> None:
    (tmp_path / OWNER).write_text("7-1")
    with pytest.raises(ForeignArtifacts, match="restored"):
        own_artifacts(session, tmp_path)
    (tmp_path / OWNER).unlink()
    own_artifacts(session, tmp_path)
    assert (tmp_path / OWNER).read_text() == database_identity(session)
