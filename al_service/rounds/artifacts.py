"""Where runs keep their files, and how a file appears whole or not at all.

pools/<name>/              arrays of a pool
checkpoints/<digest>/      network, last layer and calibration of a run
features/<digest>-<pool>/  cached features of a whole pool under one network, and
                           what campaigns remember of distances between them
scans/<pool>-v<version>/   what the redshift scan says of a whole pool
runs/<id>/                 what a run needs to be taken up again, and its
                           predictions for the evaluation objects
arms/<id>-<fence>-<arm>    predictions of control arms for the evaluation objects
Numbers of runs begin anew with every database: files in `runs` and `arms` say
themselves what they were made of.
"""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from al_service.survey.atomic_file import new_file

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

    @property
    def scans(self) -> Path:
        """Folder of the redshift scans of pools."""
        return self.root / "scans"

    def features(self, network_digest: str, pool_digest: str) -> Path:
        """Folder of a pool's features under one network."""
        name = f"{network_digest}-{pool_digest[:_POOL_DIGITS]}"
        return self.root / "features" / name

    def gradients(
        self, network_digest: str, pool_digest: str, checkpoint_digest: str
    ) -> Path:
        """Folder of a pool's gradient features; they go when the network's do."""
        features = self.features(network_digest, pool_digest)
        return features.with_name(f"{features.name}-{checkpoint_digest[:_POOL_DIGITS]}")

    def caches(self) -> list[Path]:
        """Folders of cached features; each name starts with the network's digest."""
        return sorted((self.root / "features").glob("*-*"))

    def saved_checkpoints(self) -> list[Path]:
        """Folders of complete checkpoints; each name is the digest."""
        return _folders(self.checkpoints)

    def run(self, run_id: int) -> Path:
        """Folder of a run's own files."""
        return self.root / "runs" / str(run_id)

    def runs(self) -> list[Path]:
        """Folders of runs; each name is the run's number."""
        return _folders(self.root / "runs")

    def unfinished(self) -> Iterator[Path]:
        """What is being written at this moment, and what killed writers have left."""
        for place in (self.checkpoints, self.arms, self.orders, *self.runs()):
            yield from place.glob(".*")

    @property
    def orders(self) -> Path:
        """Folder of what runs have ordered; kept for good."""
        return self.root / "orders"

    def order(self, run_id: int, fence: int) -> Path:
        """What one attempt of a run has ordered, to explain it; kept for good."""
        return self.orders / f"{run_id}-{fence}.json"

    @property
    def arms(self) -> Path:
        """Folder of what control arms have predicted; kept for good."""
        return self.root / "arms"

    def arm(self, run_id: int, fence: int, arm: str) -> Path:
        """What one arm of one attempt of a run says of the evaluation objects."""
        return self.arms / f"{run_id}-{fence}-{arm}.npz"

    def evaluation_predictions(self, run_id: int, fence: int) -> Path:
        """What one attempt of a run says of the evaluation objects, for later gates.

        A worker that was fenced out writes a file of its own.
        """
        return self.run(run_id) / f"evaluation_predictions-{fence}.npz"


def save_arrays(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write named arrays; the file appears complete or not at all."""
    with new_file(path) as file:
        np.savez(file, allow_pickle=False, **arrays)
    flush_folder(path.parent)


def load_arrays(path: Path) -> dict[str, Array]:
    """Read named arrays."""
    with np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def save_text(path: Path, text: str) -> None:
    """Write a small file; it appears complete or not at all."""
    with new_file(path) as file:
        file.write(text.encode())
    flush_folder(path.parent)


def mark_used(folder: Path) -> None:
    """Let a folder count as young: somebody reads it from now on."""
    # One that is gone is fine; `Path.touch` would put a file in its place.
    with suppress(FileNotFoundError):
        os.utime(folder)


def remove_folder(path: Path) -> None:
    """Delete a folder that nobody needs any more; one that is gone is fine."""
    shutil.rmtree(path, ignore_errors=True)


def _folders(parent: Path) -> list[Path]:
    # Those whose names begin with a dot are being written.
    return sorted(one for one in parent.glob("[!.]*") if one.is_dir())


def flush_folder(path: Path) -> None:
    """Put a folder's names on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
