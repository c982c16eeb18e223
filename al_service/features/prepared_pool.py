"""Images and spectra of a pool, prepared once for everybody who trains on them.

Preparing an object costs about as much as looking at it. Whoever trains many networks
on one pool keeps what they read: one file per array, pixels in half precision, mapped
into memory, so that processes share what they have read.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from al_service.features.preparation import (
    COLUMNS_OF,
    PIXELS_OF,
    PreparedInputs,
    prepare,
)
from al_service.survey.inputs import Inputs, Rows
from al_service.survey.pool_view import PoolView

CHUNK_ROWS: Final = 256
"""Objects prepared at a time: 120 kB each before anything is done."""

_MODALITY_OF: Final = {
    name: modality
    for names in (COLUMNS_OF, PIXELS_OF)
    for modality, name in names.items()
}
"""Name of an array to the modality that it is of."""

Array = NDArray[Any]  # Any: every precision


@dataclass(frozen=True)
class PreparedView(PoolView):
    """`N` objects of a pool whose images and spectra are prepared."""

    prepared: Mapping[str, Array] = field(default_factory=dict)
    """Columns and pixels by name, of all objects of the pool."""

    def take(self, rows: Rows) -> Inputs:
        """The objects of some of these rows, in their order."""
        wanted = self.rows[rows]
        bare = self.arrays.inputs(wanted, modalities=())
        flags: dict[str, Any] = {  # Any: flags of presence
            f"has_{name}": self.arrays.flags[name][wanted]
            for name in PIXELS_OF
            if name in self.arrays.flags and self._may_see(name)
        }
        return PreparedInputs(
            bare.photometry,
            bare.has_photometry,
            **flags,
            scan=None if self.scan is None else self.scan[wanted],
            prepared={
                name: _single(part[wanted])
                for name, part in self.prepared.items()
                if self._may_see(_MODALITY_OF[name])
            },
        )

    def _may_see(self, modality: str) -> bool:
        return self.modalities is None or modality in self.modalities


def bytes_an_object(view: PoolView) -> int:
    """What a prepared object fills."""
    made = prepare(view.take(slice(0, 1)), PIXELS_OF)
    return sum(_stored(name, part).nbytes for name, part in made.items())


def prepare_pool(
    view: PoolView,
    folder: Path,
    *,
    threads: int = 1,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> None:
    """Write what networks read of images and spectra.

    Args:
        view: the objects; others of their pool are left out.
        folder: to write to, one file per array.
        threads: how many prepare at a time.
        on_progress: told the number of objects that are done, and of all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, Array] = {}
    for name, part in prepare(view.take(slice(0, 1)), PIXELS_OF).items():
        stored = _stored(name, part)
        files[name] = np.lib.format.open_memmap(
            folder / f"{name}.npy",
            mode="w+",
            dtype=stored.dtype,
            shape=(len(view.arrays), *stored.shape[1:]),
        )

    def write(rows: slice) -> int:
        inputs = view.take(rows)
        for name, part in prepare(inputs, PIXELS_OF).items():
            # Where there is no image, nothing is written: the file stays small.
            has: NDArray[np.bool_] = getattr(inputs, f"has_{_MODALITY_OF[name]}")
            some = has if name in PIXELS_OF.values() else np.ones_like(has)
            files[name][view.rows[rows][some]] = part[some]
        return len(inputs)

    done = 0
    with ThreadPoolExecutor(threads) as pool:
        for count in pool.map(write, _chunks(len(view))):
            done += count
            on_progress(done, len(view))


def prepared_view(view: PoolView, folder: Path) -> PreparedView:
    """The same objects, read from what `prepare_pool` has written."""
    files = {
        path.stem: np.load(path, mmap_mode="r", allow_pickle=False)
        for path in sorted(folder.glob("*.npy"))
    }
    return PreparedView(view.arrays, view.rows, view.scan, view.modalities, files)


def _chunks(count: int) -> Iterator[slice]:
    for start in range(0, count, CHUNK_ROWS):
        yield slice(start, min(start + CHUNK_ROWS, count))


def _stored(name: str, part: Array) -> Array:
    """Pixels as training keeps them; columns as they are."""
    return part.astype(np.float16) if name in PIXELS_OF.values() else part


def _single(part: Array) -> Array:
    return part.astype(np.float32) if part.dtype == np.float16 else part
