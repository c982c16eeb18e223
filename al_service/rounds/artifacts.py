"""Where runs keep their files, and how a file appears whole or not at all.

pools/<name>/              arrays of a pool
checkpoints/<digest>/      network, last layer and calibration of a run
features/<digest>-<pool>/  cached features of a whole pool under one network
runs/<id>/                 what a run needs to be taken up again, and its
                           predictions for the evaluation objects
"""

import os
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # of every number type

_POOL_DIGITS: Final = 16
"""Hexadecimal digits of a pool's digest in a folder name: enough among all pools."""


@dataclass(frozen=True)
class Artifacts:
    """The folder of arrays and checkpoints, shared by all workers."""

    root: Path

    @property
    def checkpoints(self) -> Path:
        """Folder of the checkpoints, each in a folder named by its digest."""
        return self.root / "checkpoints"

    def pool(self, arrays: str) -> Path:
        """Folder of a pool's arrays."""
        return self.root / arrays

    def features(self, network_digest: str, pool_digest: str) -> Path:
        """Folder of a pool's features under one network."""
        name = f"{network_digest}-{pool_digest[:_POOL_DIGITS]}"
        return self.root / "features" / name

    def caches(self) -> list[Path]:
        """Folders of cached features; each name starts with the network's digest."""
        return sorted((self.root / "features").glob("*-*"))

    def run(self, run_id: int) -> Path:
        """Folder of a run's own files."""
        return self.root / "runs" / str(run_id)

    def evaluation_predictions(self, run_id: int) -> Path:
        """What a run says of the evaluation objects, for later gates."""
        return self.run(run_id) / "evaluation_predictions.npz"


def save_arrays(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write named arrays; the file appears complete or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with partial.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    flush_folder(path.parent)


def load_arrays(path: Path) -> dict[str, Array]:
    """Read named arrays."""
    with np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def save_text(path: Path, text: str) -> None:
    """Write a small file; it appears complete or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with partial.open("w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    flush_folder(path.parent)


def remove_folder(path: Path) -> None:
    """Delete a folder that nobody needs any more; one that is gone is fine."""
    shutil.rmtree(path, ignore_errors=True)


def flush_folder(path: Path) -> None:
    """Put a folder's names on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
