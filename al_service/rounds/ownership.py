"""One artifacts folder, one database: another one would tidy up files that it needs.

Runs, checkpoints and features that a database does not name are deleted after a while.
Two databases on one folder would delete each other's.
"""

import os
from pathlib import Path
from typing import Final

from sqlalchemy.orm import Session

from al_service.errors import ALServiceError
from db.repositories.identity import database_identity

OWNER: Final = "database.id"
"""File in the artifacts folder: the identity of the database that it belongs to."""


class ForeignArtifacts(ALServiceError):
    """The artifacts folder belongs to another database."""

    def __init__(self, folder: Path, owner: str, ours: str) -> None:
        super().__init__(
            f"artifacts in {folder} belong to database {owner}, and this is {ours}:"
            " each would delete the other's files. Set AL_ARTIFACTS to a folder of its"
            f" own; if this database was restored from a back-up, delete"
            f" {folder / OWNER}"
        )


def own_artifacts(session: Session, folder: Path) -> None:
    """Take an artifacts folder for this database, or find it taken by it.

    Raises:
        ForeignArtifacts: it belongs to another one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path, ours = folder / OWNER, database_identity(session)
    partial = folder / f".{OWNER}.{os.getpid()}"
    partial.write_text(ours, encoding="ascii")
    try:
        os.link(partial, path)  # of two at once only one succeeds, with its whole text
    except FileExistsError:
        check_owner(session, folder)
    finally:
        partial.unlink()


def check_owner(session: Session, folder: Path) -> None:
    """Refuse a folder of another database; one that is nobody's yet is fine.

    Raises:
        ForeignArtifacts: it belongs to another one.
    """
    try:
        owner = (folder / OWNER).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return
    ours = database_identity(session)
    if owner != ours:
        raise ForeignArtifacts(folder, owner, ours)
