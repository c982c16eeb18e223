"""Folders that appear whole or not at all, with a digest of everything inside."""

import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from al_service.errors import CorruptArtifact
from al_service.survey.unfinished import clear_abandoned, held

MANIFEST: Final = "manifest.json"

NO_FILE: Final = "no file"
"""What is found in the place of a digest."""

QUIET_SECONDS: Final = 1.0
"""A thread that has begun to compress a chunk writes it within this time."""

PATIENCE_SECONDS: Final = 20.0
"""Whoever writes for longer has not been told to end."""


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A temporary folder beside `path` that takes its name if the block succeeds.

    Everything is on disk before the name appears. Where somebody else was faster,
    theirs stays and ours is dropped: folders of one name hold the same content.
    """
    with partial_folder(path.parent, path.name) as partial:
        yield partial
        publish(partial, path)


@contextmanager
def partial_folder(parent: Path, name: str) -> Iterator[Path]:
    """A hidden folder that is gone after the block, unless it was published.

    Args:
        parent: where it is made.
        name: what it will become.
    """
    parent.mkdir(parents=True, exist_ok=True)
    while True:
        partial = parent / f".{name}.partial-{uuid.uuid4().hex}"
        partial.mkdir()
        with held(partial) as is_ours:
            if not is_ours:
                continue
            try:
                yield partial
            except KeyboardInterrupt:
                _outlast_writers(partial)
                raise
            finally:
                shutil.rmtree(partial, ignore_errors=True)
            return


def _outlast_writers(partial: Path) -> None:
    """Delete a folder until nobody puts anything into it any more.

    Zarr writes in threads that do not hear of Ctrl-C: what they had begun they finish,
    in folders that they make anew.
    """
    end = time.monotonic() + PATIENCE_SECONDS
    quiet_since = time.monotonic()
    while time.monotonic() < min(end, quiet_since + QUIET_SECONDS):
        if partial.exists():
            shutil.rmtree(partial, ignore_errors=True)
            quiet_since = time.monotonic()
        time.sleep(QUIET_SECONDS / 20)


def clear_partials(parent: Path) -> None:
    """Delete the hidden folders of writers that were killed."""
    clear_abandoned(parent.glob(".*.partial-*"))


def publish(partial: Path, path: Path) -> None:
    """Give a complete folder its name, once everything is on disk."""
    _flush(partial)
    try:
        partial.rename(path)
    except OSError:
        if not path.is_dir():
            raise
    _flush_folder(path.parent)


def write_manifest(folder: Path, facts: Mapping[str, Any]) -> str:  # Any: JSON values
    """Describe a complete folder in its manifest.

    Args:
        folder: where every other file is already in place.
        facts: what a reader should know, JSON values.

    Returns:
        The digest of the manifest, which names every file with its own digest.
    """
    files = {
        str(file.relative_to(folder)): file_digest(file)
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name != MANIFEST
    }
    text = manifest_text(facts, files)
    (folder / MANIFEST).write_bytes(text)
    return hashlib.sha256(text).hexdigest()


def manifest_text(
    facts: Mapping[str, Any],  # Any: JSON values
    files: Mapping[str, str],
) -> bytes:
    """The bytes of a manifest.

    Args:
        facts: what a reader should know, JSON values.
        files: relative path to sha256.
    """
    return json.dumps(
        {**facts, "files": dict(files)}, sort_keys=True, indent=1, allow_nan=False
    ).encode()


def manifest_digest(folder: Path) -> str:
    """The digest of the manifest that a folder holds."""
    return file_digest(folder / MANIFEST)


def read_manifest(
    folder: Path, digest: str | None = None
) -> dict[str, Any]:  # Any: JSON values
    """The manifest of a folder, refused if it is not the one expected.

    Args:
        folder: a folder written by `new_folder` and `write_manifest`.
        digest: the manifest's expected digest; None takes any.

    Raises:
        CorruptArtifact: it is another one, or there is none.
    """
    path = folder / MANIFEST
    found = manifest_digest(folder) if path.is_file() else NO_FILE
    if found == NO_FILE or digest not in (None, found):
        raise CorruptArtifact(path, digest or "of a manifest", found)
    manifest: dict[str, Any] = json.loads(path.read_text())
    return manifest


def verify_files(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Read every file of the manifest and refuse the first that was changed."""
    for name, expected in manifest["files"].items():
        path = folder / name
        found = file_digest(path) if path.is_file() else NO_FILE
        if found != expected:
            raise CorruptArtifact(path, expected, found)


def file_digest(path: Path) -> str:
    """sha256 of a file's bytes, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_dir():
            _flush_folder(path)
        else:
            with path.open("rb") as file:
                os.fsync(file.fileno())
    _flush_folder(folder)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
