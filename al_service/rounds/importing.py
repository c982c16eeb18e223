"""Importing: files become a pool that nobody sees until it is whole.

Arrays are written to a hidden folder, which takes a name made of its digest; the
database learns of them in one transaction that ends with the publishing UPDATE. An
import that dies on any line leaves a hidden folder that the next one clears away; an
import that is repeated finds what is there and changes nothing.
"""

import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from re import fullmatch
from typing import Final

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from al_service.errors import Conflict, InvalidInput
from al_service.rounds.campaigns import NAME
from al_service.rounds.pools import POOLS_FOLDER, register_pool
from al_service.survey import sdss10k
from al_service.survey.atomic_folder import clear_partials, partial_folder, publish
from al_service.survey.importing.assembly import assemble_pool
from al_service.survey.importing.rejected import RejectedRows
from al_service.survey.importing.request import (
    ImportCounts,
    ImportRequest,
    Progress,
)
from db.repositories import pools

DIGEST_LENGTH: Final = 12
"""Characters of the digest in a folder's name: enough to tell imports apart."""

Fill = Callable[[Path], str]
"""Writes a pool's arrays into a folder and returns the digest of their manifest."""


@dataclass(frozen=True)
class ImportResult:
    """What an import did."""

    counts: ImportCounts
    digest: str
    unchanged: bool
    """The pool was there already, with the same content."""


def import_files(
    sessions: sessionmaker[Session],
    name: str,
    request: ImportRequest,
    *,
    artifacts: Path,
    seed: int,
    rejected: Path,
    skip_bad: bool,
    progress: Progress,
) -> ImportResult:
    """Make a pool out of files.

    Args:
        sessions: of the database.
        name: how campaigns will address the pool.
        request: what to import.
        artifacts: folder of arrays and checkpoints.
        seed: decides which galaxies examine.
        rejected: file for the rows that cannot be used.
        skip_bad: import the rest.
        progress: told how far the stages are.

    Raises:
        BadRows: something cannot be used; nothing was imported.
        Conflict: the name is taken by a pool of other content, or another import of
            this name is running.
        InvalidInput: the request makes no sense, or a file cannot be read.
    """
    counts = ImportCounts()

    def fill(folder: Path) -> str:
        nonlocal counts
        digest, counts = assemble_pool(
            request, folder, rejected=rows, skip_bad=skip_bad, progress=progress
        )
        return digest

    with RejectedRows(rejected) as rows:
        digest, unchanged = make_pool(
            sessions, name, fill, artifacts=artifacts, seed=seed, progress=progress
        )
    return ImportResult(counts, digest, unchanged=unchanged)


def make_pool(
    sessions: sessionmaker[Session],
    name: str,
    fill: Fill,
    *,
    artifacts: Path,
    seed: int,
    progress: Progress,
) -> tuple[str, bool]:
    """Make a pool that nobody sees before it is whole.

    Args:
        sessions: of the database.
        name: how campaigns will address the pool.
        fill: writes the arrays into the folder it is given and returns the digest of
            their manifest.
        artifacts: folder of arrays and checkpoints.
        seed: decides which galaxies examine.
        progress: told how far the stages are.

    Returns:
        The digest, and whether the pool was there already with the same content.

    Raises:
        Conflict: the name is taken by a pool of other content, or another pool of
            this name is being made.
        InvalidInput: the name cannot be one.
    """
    if not fullmatch(NAME, name):
        raise InvalidInput(
            f"pool name: expected letters, digits, _, . and -, found {name!r}"
        )
    if name == sdss10k.POOL_NAME:
        raise Conflict(f"the pool {name!r} comes with the service: choose another name")
    parent = artifacts / POOLS_FOLDER
    parent.mkdir(parents=True, exist_ok=True)
    with _alone(parent, name):
        with partial_folder(parent, name) as folder:
            digest = fill(folder)
            with sessions() as session:
                known = pools.find_visible(session, name)
            if known is not None:
                _compare(name, known.manifest_digest, known.seed, digest, seed)
                return digest, True
            final = f"{name}-{digest[:DIGEST_LENGTH]}"
            publish(folder, parent / final)
        with (
            _known_or_gone(sessions, name, parent / final),
            sessions.begin() as session,
        ):
            written = register_pool(
                session,
                name,
                artifacts=artifacts,
                folder=f"{POOLS_FOLDER}/{final}",
                seed=seed,
                progress=lambda *so_far: progress("filling the database", *so_far),
            )
    if not written:
        raise Conflict(f"a pool named {name!r} was made at this moment: try again")
    return digest, False


@contextmanager
def _known_or_gone(
    sessions: sessionmaker[Session], name: str, folder: Path
) -> Iterator[None]:
    """Delete arrays that the database did not come to know; the name is locked."""
    try:
        yield
    except BaseException:  # Ctrl-C as well: gigabytes would stay
        with suppress(SQLAlchemyError), sessions() as session:
            if pools.find_visible(session, name) is None:
                shutil.rmtree(folder, ignore_errors=True)
        raise


def _compare(
    name: str, known: str | None, known_seed: int, digest: str, seed: int
) -> None:
    if known != digest:
        raise Conflict(
            f"a pool named {name!r} exists already with other content (manifest"
            f" {str(known)[:DIGEST_LENGTH]}, these files give"
            f" {digest[:DIGEST_LENGTH]}). A pool never changes: import the whole, new"
            " objects included, under another name with the same seed; campaigns of"
            " the old pool go on"
        )
    if known_seed != seed:
        raise Conflict(
            f"pool {name!r} has these objects with seed {known_seed}, found {seed}:"
            " another split needs another name"
        )


@contextmanager
def _alone(parent: Path, name: str) -> Iterator[None]:
    """One import of a name at a time; what killed ones have left is cleared away."""
    with (parent / f".{name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Conflict(f"another import of pool {name!r} is running") from error
        clear_partials(parent)
        yield
