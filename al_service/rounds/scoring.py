"""The features of a whole pool under one network, cached chunk by chunk.

Every array lies in one file that is mapped into memory: a head run reads any rows of
a pool of any size. A chunk counts once its marker exists, and the marker is written
after the chunk is on disk, so that a crash costs one chunk and a second worker that
fills the same cache writes the same bytes. A cache that is complete knows what it
consists of; a damaged one is thrown away and computed anew.
"""

import hashlib
import json
import logging
import os
import shutil
import uuid
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from al_service.errors import CorruptArtifact, RunStopped
from al_service.models.network import Network
from al_service.posterior.features import Features, extract
from al_service.rounds.artifacts import Array, flush_folder, save_text
from al_service.survey.pool_view import PoolView

READ_CHUNK: Final = 16_384
"""Objects whose cached features are read at a time: 16 MB of float32 at D = 256."""

_COMPLETE: Final = "complete"

_READ_BYTES: Final = 2**24

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FeatureCache:
    """The complete features of `N` objects on disk."""

    folder: Path
    arrays: dict[str, Array]
    """Name to `N x ...`, mapped into memory, read only."""
    n_objects: int
    digest: str = ""
    """Of the checksums of its files: the same features have the same."""

    def take(self, rows: NDArray[np.int64]) -> Features:
        """The features of some objects, in their order."""
        return Features.from_arrays(
            {
                name: np.ascontiguousarray(part[rows])
                for name, part in self.arrays.items()
            }
        )

    def chunks(
        self, rows: NDArray[np.int64], size: int = READ_CHUNK
    ) -> Iterator[tuple[slice, Features]]:
        """The features of many objects, at most `size` at a time.

        Returns:
            Places in `rows`, and the features of these objects.
        """
        for start in range(0, len(rows), size):
            places = slice(start, min(start + size, len(rows)))
            yield places, self.take(rows[places])


def cache_features(
    network: Network,
    pool: PoolView,
    folder: Path,
    *,
    chunk: int,
    progress: Callable[[float], None],
    should_stop: Callable[[], bool],
) -> FeatureCache:
    """Compute the features of every object that is not cached yet.

    Args:
        network: whose features.
        pool: all of its objects.
        folder: named by the digests of network and pool; filled here.
        chunk: objects at a time: bounds memory, and the work that a crash costs.
        progress: told the finished share after every chunk.
        should_stop: asked before every chunk and between its pieces.

    Raises:
        RunStopped: `should_stop` said so; finished chunks stay.
    """

    def compute(rows: slice) -> dict[str, Array]:
        some = pool.of(pool.rows[rows])
        return extract(network, some, should_stop=should_stop).arrays()

    return fill_cache(
        folder,
        len(pool),
        compute,
        chunk=chunk,
        progress=progress,
        should_stop=should_stop,
    )


def fill_cache(
    folder: Path,
    n: int,
    compute: Callable[[slice], dict[str, Array]],
    *,
    chunk: int,
    progress: Callable[[float], None] = lambda _share: None,
    should_stop: Callable[[], bool],
) -> FeatureCache:
    """Compute what is not cached yet, chunk by chunk.

    Args:
        folder: named by what decides the content; filled here.
        n: objects.
        compute: names to arrays of the objects of some rows.
        chunk: objects at a time.
        progress: told the finished share after every chunk.
        should_stop: asked before every chunk.

    Raises:
        RunStopped: `should_stop` said so; finished chunks stay.
    """
    cached = find_cache(folder)
    if cached is not None:
        progress(1.0)
        return cached
    if (folder / _COMPLETE).exists():
        # Damaged: which chunk it was cannot be known.
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    for start in range(0, n, chunk):
        if should_stop():
            raise RunStopped(f"scoring stopped after {start} of {n} objects")
        rows = slice(start, min(start + chunk, n))
        if not _marker(folder, rows).exists():
            _store(folder, rows, compute(rows), n)
        progress(rows.stop / n)
    save_text(folder / _COMPLETE, json.dumps(_checksums(folder)))
    return open_cache(folder)


def find_cache(folder: Path) -> FeatureCache | None:
    """The cache in a folder; None where it is incomplete or damaged."""
    if not (folder / _COMPLETE).exists():
        return None
    try:
        return open_cache(folder)
    except CorruptArtifact as error:
        logger.warning("%s: features are computed anew", error)
        return None


def open_cache(folder: Path) -> FeatureCache:
    """Open a cache that is complete.

    Raises:
        CorruptArtifact: its files are not what was written.
    """
    expected, found = (folder / _COMPLETE).read_text(), json.dumps(_checksums(folder))
    if expected != found:
        raise CorruptArtifact(folder, expected, found)
    arrays: dict[str, Array] = {
        path.stem: np.load(path, mmap_mode="r", allow_pickle=False)
        for path in sorted(folder.glob("*.npy"))
    }
    digest = hashlib.sha256(expected.encode()).hexdigest()
    return FeatureCache(folder, arrays, len(next(iter(arrays.values()))), digest)


def _checksums(folder: Path) -> dict[str, int]:
    """File to CRC-32: finds damage, and costs less than reading a gigabyte again."""
    return {path.name: _crc(path) for path in sorted(folder.glob("*.npy"))}


def _crc(path: Path) -> int:
    crc = 0
    with path.open("rb") as file:
        while block := file.read(_READ_BYTES):
            crc = zlib.crc32(block, crc)
    return crc


def _store(folder: Path, rows: slice, parts: dict[str, Array], n: int) -> None:
    for name, part in parts.items():
        path = folder / f"{name}.npy"
        if not path.exists():
            _allocate(path, (n, *part.shape[1:]), part.dtype)
        whole: np.memmap[Any, Any] = np.lib.format.open_memmap(path, mode="r+")
        whole[rows] = part
        whole.flush()
    _marker(folder, rows).touch()
    flush_folder(folder)


def _allocate(path: Path, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """An empty file of the right size; where somebody was faster, theirs stays."""
    partial = path.with_name(f".{path.stem}.{uuid.uuid4().hex}")
    try:
        np.lib.format.open_memmap(partial, mode="w+", dtype=dtype, shape=shape).flush()
        os.link(partial, path)
    except FileExistsError:
        return
    finally:
        partial.unlink(missing_ok=True)


def _marker(folder: Path, rows: slice) -> Path:
    return folder / f"{rows.start:09d}-{rows.stop:09d}.done"
