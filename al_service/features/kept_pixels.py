"""Pixels of a pool, prepared when they are first asked for and kept on disk.

Preparing an object costs about as much as looking at it. Whoever trains many networks
on one pool keeps what they read. Files have a place for every object of the pool and
are sparse: what nobody asked for takes none. They are mapped into memory, so that
processes share what they have read; what two of them prepare at once is written twice,
the same.
"""

import os
import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from al_service.features.preparation import (
    COLUMNS_OF,
    PIXELS_OF,
    PreparedInputs,
    prepare,
)
from al_service.survey.atomic_folder import new_folder
from al_service.survey.inputs import Inputs, Rows
from al_service.survey.pool_arrays import PoolArrays
from al_service.survey.pool_view import PoolView

READ_ROWS: Final = 256
"""Objects that are prepared at a time."""

_READY: Final = "ready"

_SAME: Final = 2e-3
"""Relative difference that half precision and the order of sums explain."""

Array = NDArray[Any]  # Any: every number type
Files = dict[str, np.memmap[Any, np.dtype[Any]]]  # Any: as above


@dataclass(frozen=True)
class KeptPixels:
    """A pool, its scan, and a folder for what is made of both."""

    arrays: PoolArrays
    scan: NDArray[np.float64] | None
    """As `Inputs.scan`; line fluxes depend on it."""
    folder: Path
    _opened: dict[str, Files] = field(default_factory=dict, compare=False, repr=False)
    """Modality to its files, compared with the pool when they were opened."""

    def inputs(
        self, rows: NDArray[np.int64], modalities: Collection[str]
    ) -> PreparedInputs:
        """Some objects in memory, their pixels prepared.

        Args:
            rows: `N` rows of the pool.
            modalities: names of those that are wanted.
        """
        seen = self._flagged(rows, modalities)
        parts: dict[str, Array] = {}
        for modality in self._with_pixels(modalities):
            files = self._files(modality)
            self._fill(files, modality, np.unique(rows))
            parts |= {name: files[name][rows] for name in _names(modality)}
        light = {one.name: getattr(seen, one.name) for one in fields(Inputs)}
        return PreparedInputs(**light, prepared=parts)

    def fill(
        self,
        rows: NDArray[np.int64],
        modalities: Collection[str],
        on_progress: Callable[[int, int], None],
    ) -> None:
        """Prepare objects before anybody asks.

        Args:
            rows: `N` rows of the pool, each once.
            modalities: names of those that are wanted.
            on_progress: told the number of objects that are done, and of all.
        """
        for start in range(0, len(rows), READ_ROWS):
            some = rows[start : start + READ_ROWS]
            for modality in self._with_pixels(modalities):
                self._fill(self._files(modality), modality, some)
            on_progress(start + len(some), len(rows))

    def bytes_an_object(self, modalities: Collection[str]) -> int:
        """What a prepared object fills."""
        return sum(
            part.nbytes
            for modality in self._with_pixels(modalities)
            for part in self._made(modality, self._rows_with(modality)[:1]).values()
        )

    def _with_pixels(self, modalities: Collection[str]) -> list[str]:
        """Those of the modalities that have pixels in this pool."""
        there = set(modalities) & set(self.arrays.modalities)
        return [name for name in PIXELS_OF if name in there]

    def _flagged(self, rows: NDArray[np.int64], modalities: Collection[str]) -> Inputs:
        """Photometry, flags and scan of some objects; pixels stay on disk."""
        inputs = self.arrays.inputs(rows, modalities=())
        flags: dict[str, Any] = {  # Any: as `Inputs` has it
            f"has_{name}": flag[rows]
            for name, flag in self.arrays.flags.items()
            if name in modalities
        }
        scan = None if self.scan is None else self.scan[rows]
        return replace(inputs, scan=scan, **flags)

    def _fill(self, files: Files, modality: str, rows: NDArray[np.int64]) -> None:
        """Prepare those rows that nobody has asked for before."""
        missing = rows[~files[_READY][rows]]
        for start in range(0, len(missing), READ_ROWS):
            some = missing[start : start + READ_ROWS]
            for name, part in self._made(modality, some).items():
                _reserve(files[name], some)
                files[name][some] = part
                files[name].flush()
            # Only now: whoever is killed before has prepared nothing.
            files[_READY][some] = True
            files[_READY].flush()

    def _files(self, modality: str) -> Files:
        """What there is of a modality, for all objects; made empty if need be."""
        if modality not in self._opened:
            self._opened[modality] = self._compared(modality)
        return self._opened[modality]

    def _compared(self, modality: str) -> Files:
        place = self.folder / modality
        if place.is_dir() and not (
            _whole(place, modality)
            and self._up_to_date(modality, _open(place, modality))
        ):
            shutil.rmtree(place)
        if not place.is_dir():
            self._make_room(place, modality)
        return _open(place, modality)

    def _make_room(self, place: Path, modality: str) -> None:
        (first,) = self._rows_with(modality)[:1].tolist()
        few = self._made(modality, np.array([first]))
        with new_folder(place) as partial:
            n = self.arrays.n_objects
            for name, part in few.items():
                _new_file(partial / name, part.dtype, (n, *part.shape[1:]))
            _new_file(partial / _READY, np.dtype(np.bool_), (n,))

    def _up_to_date(self, modality: str, files: Files) -> bool:
        """Whether one object, prepared once more, comes out as it was kept."""
        ready = np.flatnonzero(files[_READY] & self.arrays.flags[modality])[:1]
        rows = ready if len(ready) else self._rows_with(modality)[:1]
        return all(
            files[name].shape[1:] == part.shape[1:]
            and (len(ready) == 0 or _alike(files[name][ready], part))
            for name, part in self._made(modality, rows).items()
        )

    def _rows_with(self, modality: str) -> NDArray[np.int64]:
        return np.flatnonzero(self.arrays.flags[modality])

    def _made(self, modality: str, rows: NDArray[np.int64]) -> dict[str, Array]:
        view = PoolView(self.arrays, rows, self.scan, frozenset({modality}))
        made = prepare(view.take(slice(None)), (modality,))
        return {
            name: part.astype(np.float16) if name == PIXELS_OF[modality] else part
            for name, part in made.items()
        }


@dataclass(frozen=True)
class KeptView(PoolView):
    """`N` objects of a pool whose pixels are kept."""

    pixels: KeptPixels | None = None
    """Of the same pool; None: as `PoolView`."""

    def take(self, rows: Rows) -> Inputs:
        """The objects of some of these rows, in their order."""
        if self.pixels is None:
            return super().take(rows)
        wanted = self.rows[rows]
        seen = self.arrays.modalities if self.modalities is None else self.modalities
        scan = None if self.scan is None else self.scan[wanted]
        return replace(self.pixels.inputs(wanted, seen), scan=scan)


def _alike(one: Array, other: Array) -> bool:
    return np.allclose(one, other, rtol=_SAME, atol=_SAME, equal_nan=True)


def _names(modality: str) -> tuple[str, str]:
    return COLUMNS_OF[modality], PIXELS_OF[modality]


def _whole(place: Path, modality: str) -> bool:
    """Whether no file was cut off: opened for writing it would be filled with zeros."""
    try:
        for name in (*_names(modality), _READY):
            open_memmap(place / f"{name}.npy", mode="r")
    except (FileNotFoundError, EOFError, ValueError):
        return False
    return True


def _reserve(file: "np.memmap[Any, np.dtype[Any]]", rows: NDArray[np.int64]) -> None:
    """Have room on the disk for some objects.

    Raises:
        OSError: The disk is full. Who writes through memory is killed instead.
    """
    if file.filename is None or not hasattr(os, "posix_fallocate"):
        return
    path, size = Path(file.filename), file.strides[0]
    try:
        with path.open("r+b") as opened:
            for row in rows.tolist():
                os.posix_fallocate(opened.fileno(), file.offset + row * size, size)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def _open(place: Path, modality: str) -> Files:
    return {
        name: open_memmap(place / f"{name}.npy", mode="r+")
        for name in (*_names(modality), _READY)
    }


def _new_file(
    path: Path, dtype: "np.dtype[Any]", shape: tuple[int, ...]
) -> None:  # Any: float types and flags
    open_memmap(path.with_suffix(".npy"), mode="w+", dtype=dtype, shape=shape).flush()
