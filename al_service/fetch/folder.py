"""A sample's folder: one fetch at a time, and a manifest that says what is in it."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from al_service.errors import Conflict
from al_service.fetch.problems import OtherSample
from al_service.fetch.sample import Sample
from al_service.survey.atomic_folder import MANIFEST

_LOCK: Final = ".lock"

FORMAT: Final = 1
"""Of the manifest; another number is another layout."""


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Nobody else fetches into the folder; the kernel gives it back if we die.

    Raises:
        Conflict: Somebody does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict(f"another al fetch is writing to {folder}") from error
        yield
    finally:
        os.close(handle)


def read_manifest_of(folder: Path, sample: Sample) -> dict[str, Any]:  # JSON
    """What an earlier run has left; nothing if there was none.

    Args:
        folder: where it would be.
        sample: what is asked for now.

    Raises:
        OtherSample: The earlier run asked for something else.
    """
    path = folder / MANIFEST
    if not path.exists():
        return {}
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        before = manifest["sample"]
    except (ValueError, KeyError, TypeError) as error:
        raise OtherSample(
            f"{path}: expected the manifest of an earlier al fetch: {error}"
        ) from error
    different = [
        name if name == "sql" else f"{name} {before.get(name)!r}, now {wanted!r}"
        for name, wanted in sample.identity.items()
        if before.get(name) != wanted
    ]
    if different:
        raise OtherSample(
            f"{folder} holds another sample ({'; '.join(different)}): ask as before, "
            "or fetch into another folder"
        )
    return manifest


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:  # JSON
    """Replace the manifest in one step."""
    path = folder / MANIFEST
    partial = path.with_name(path.name + ".part")
    with partial.open("w", encoding="utf-8") as file:
        json.dump(manifest, file, indent=1, sort_keys=True, allow_nan=False)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
