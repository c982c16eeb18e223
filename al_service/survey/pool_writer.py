"""Big arrays of a pool, written in parts: memory never holds more than one chunk."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import BloscCodec

CHUNK_BYTES: Final = 8 * 2**20
"""Sequential scoring reads whole chunks: large enough to amortize opening a file,
small enough that a few fit beside the network in memory."""

COMPRESSOR: Final = BloscCodec(cname="lz4", clevel=5, shuffle="bitshuffle")
"""Pixels are noise in their last bits. On simulated images and spectra this takes two
thirds of Zarr's default (zstd) to write, half of it to read, and a tenth less disk."""

ABSENT: Final = -1
"""Row number of an object that has no measurement."""

Take = Callable[[Sequence[int]], NDArray[np.float32]]


def chunk_rows(row_shape: tuple[int, ...]) -> int:
    """How many rows of a shape one chunk holds."""
    return max(1, CHUNK_BYTES // (4 * int(np.prod(row_shape))))


class GrowingArray:
    """An array on disk to which rows are appended before anybody knows how many."""

    def __init__(self, path: Path, row_shape: tuple[int, ...]) -> None:
        self._rows = chunk_rows(row_shape)
        self._stored = _create(path, 0, row_shape)
        self._waiting: list[NDArray[np.float32]] = []
        self._n_waiting = 0
        self._n_written = 0

    def __len__(self) -> int:
        return self._n_written + self._n_waiting

    def append(self, rows: NDArray[np.floating[Any]]) -> None:
        """Add `K x …` rows; whole chunks go to the disk at once."""
        self._waiting.append(np.asarray(rows, dtype=np.float32))
        self._n_waiting += len(rows)
        if self._n_waiting >= self._rows:
            self._write(self._n_waiting // self._rows * self._rows)

    def take(self, rows: Sequence[int]) -> NDArray[np.float32]:
        """Rows by number; call `finish` before."""
        wanted = np.asarray(rows, dtype=np.int64)
        return np.asarray(self._stored.oindex[wanted], dtype=np.float32)

    def finish(self) -> None:
        """Write what is waiting; more may follow."""
        if self._n_waiting:
            self._write(self._n_waiting)

    def _write(self, count: int) -> None:
        waiting = np.concatenate(self._waiting)
        self._stored.resize((self._n_written + count, *waiting.shape[1:]))
        self._stored[self._n_written : self._n_written + count] = waiting[:count]
        self._waiting = [waiting[count:]] if len(waiting) > count else []
        self._n_written += count
        self._n_waiting -= count


def write_gathered(
    path: Path,
    row_shape: tuple[int, ...],
    source_rows: NDArray[np.int64],
    take: Take,
    *,
    progress: Callable[[int], None] = lambda _: None,
) -> None:
    """Write an array whose rows are brought from elsewhere.

    Chunks in which no object has a measurement are not stored: a million galaxies of
    which a thousand have spectra cost the disk a thousand.

    Args:
        path: folder of the array.
        row_shape: of one row.
        source_rows: `N` row numbers in the source, `ABSENT` where there is none.
        take: brings rows of the source by their numbers.
        progress: told how many rows are written.
    """
    n = len(source_rows)
    stored = _create(path, n, row_shape)
    step = chunk_rows(row_shape)
    for start in range(0, n, step):
        wanted = source_rows[start : start + step]
        there = wanted != ABSENT
        if there.any():
            block = np.zeros((len(wanted), *row_shape), dtype=np.float32)
            block[there] = take(wanted[there].tolist())
            stored[start : start + len(wanted)] = block
        progress(start + len(wanted))


def _create(path: Path, n: int, row_shape: tuple[int, ...]) -> Any:  # Any: zarr.Array
    return zarr.create_array(
        path,
        shape=(n, *row_shape),
        chunks=(chunk_rows(row_shape), *row_shape),
        dtype="float32",
        compressors=COMPRESSOR,
        zarr_format=3,
    )
