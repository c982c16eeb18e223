"""One artifacts folder, one database: another one would tidy up files that it needs.

Runs, checkpoints and features that a database does not name are deleted after a while.
Two databases on one folder would delete each other's.
"""

import os
import time
import uuid
from pathlib import Path
from typing import Final, TextIO

from al_service.errors import ALServiceError
from al_service.rounds.artifacts import flush_folder

OWNER: Final = "database.id"
"""File in the artifacts folder: the identity of the database that it belongs to."""

UNFINISHED: Final = "(nobody knows: its name was not written to the end)"

_FINISH_SECONDS: Final = 2.0
"""A name of thirty letters is written to the end by then, or its writer has died."""


class ForeignArtifacts(ALServiceError):
    """The artifacts folder belongs to another database.

    A database that was restored or went through `pg_upgrade` counts as another one. A
    clone of the whole cluster does not and is not noticed: it needs its own folder
    (`db/repositories/identity.py`).
    """

    def __init__(self, folder: Path, owner: str, ours: str) -> None:
        super().__init__(
            f"artifacts in {folder} belong to database {owner}, and this is {ours}:"
            " each would delete the other's files. Set AL_ARTIFACTS to a folder of its"
            " own; if this database was restored from a back-up or went through"
            f" pg_upgrade, delete {folder / OWNER}"
        )


def own_artifacts(folder: Path, ours: str) -> None:
    """Take an artifacts folder for a database, or find it taken by it.

    Usually it is, and nothing is written.

    Args:
        folder: made where it is missing.
        ours: `database_identity`, read in a transaction that has ended: a shared folder
            may be slow.

    Raises:
        ForeignArtifacts: it belongs to another one.
    """
    if check_owner(folder, ours):
        return
    folder.mkdir(parents=True, exist_ok=True)
    if _take(folder, ours):
        return
    if not check_owner(folder, ours):
        raise ForeignArtifacts(folder, UNFINISHED, ours)


def check_owner(folder: Path, ours: str) -> bool:
    """Whether a folder belongs to a database; False where it is nobody's yet.

    Raises:
        ForeignArtifacts: it belongs to another one.
    """
    owner = _read_owner(folder / OWNER)
    if owner and owner != ours:
        raise ForeignArtifacts(folder, owner, ours)
    return bool(owner)


def _read_owner(path: Path) -> str:
    """The name in the file, which somebody may be writing; empty without one."""
    deadline = time.monotonic() + _FINISH_SECONDS
    while True:
        try:
            name = path.read_text(encoding="ascii")
        except FileNotFoundError:
            return ""
        if name or time.monotonic() > deadline:
            return name.strip()
        time.sleep(_FINISH_SECONDS / 100)


def _take(folder: Path, ours: str) -> bool:
    """Write the owner's file, unless somebody else was faster."""
    partial = folder / f".{OWNER}.{uuid.uuid4().hex}"
    try:
        with partial.open("x", encoding="ascii") as file:
            _write(file, ours)
        try:
            os.link(partial, folder / OWNER)  # of two only one succeeds, all at once
        except FileExistsError:
            return False
        except OSError:  # a shared mount that knows no links
            return _take_without_links(folder / OWNER, ours)
        flush_folder(folder)
        return True
    finally:
        partial.unlink(missing_ok=True)


def _take_without_links(path: Path, ours: str) -> bool:
    """Of two only one creates the file; the other one waits for what is in it."""
    try:
        with path.open("x", encoding="ascii") as file:
            _write(file, ours)
    except FileExistsError:
        return False
    flush_folder(path.parent)
    return True


def _write(file: TextIO, text: str) -> None:
    file.write(text)
    file.flush()
    os.fsync(file.fileno())
