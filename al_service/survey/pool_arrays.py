"""The arrays of a pool on disk: small columns in one file, big ones in Zarr 3 chunks.

A pool's folder is written once, under a temporary name, and never changed:

    manifest.json   facts and the digest of every file
    objects.npz     identifiers, groups, positions, flags, known labels
    photometry/     Zarr, N x P
    image/          Zarr, N x B x H x W   (where the pool has images)
    spectrum/       Zarr, N x C x L       (where the pool has spectra)
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import zarr
from numpy.typing import ArrayLike, NDArray

from al_service.errors import CorruptArtifact
from al_service.survey.atomic_folder import (
    NO_FILE,
    manifest_digest,
    new_folder,
    read_manifest,
    verify_files,
    write_manifest,
)
from al_service.survey.inputs import Inputs, Rows
from al_service.survey.photometry_columns import PHOTOMETRY_COLUMNS
from al_service.survey.pool_columns import (
    PoolColumns as PoolColumns,  # of whoever reads or writes a pool
)
from al_service.survey.pool_columns import check_columns, read_columns, write_columns
from al_service.survey.pool_writer import GrowingArray, chunk_rows

FORMAT_VERSION: Final = 1

OBJECTS: Final = "objects.npz"
"""File of the small columns."""

_ZARR: Final = "zarr.json"
"""Without it a folder is no array."""

_PHOTOMETRY: Final = "photometry"
_IMAGE: Final = "image"
_SPECTRUM: Final = "spectrum"

MODALITIES: Final = (_PHOTOMETRY, _IMAGE, _SPECTRUM)


class PoolArrays:
    """A pool read from its folder; arrays stay on disk until rows are asked for."""

    def __init__(self, path: Path, manifest: dict[str, Any]) -> None:  # Any: JSON
        self.path = path
        self.targets: tuple[str, ...] = tuple(manifest["targets"])
        self.columns, self._flags = read_columns(path / OBJECTS, MODALITIES)
        self._arrays = {
            name: _opened(path / name, manifest["files"].get(f"{name}/{_ZARR}"))
            for name in self._flags
        }

    @classmethod
    def open(
        cls, path: Path, *, digest: str | None = None, verify: bool = False
    ) -> Self:
        """Open a pool's folder.

        Args:
            path: the folder.
            digest: the manifest's expected digest; None takes any.
            verify: also read every file and compare its digest.
        """
        manifest = read_manifest(path, digest)
        if verify:
            verify_files(path, manifest)
        return cls(path, manifest)

    def __len__(self) -> int:
        return len(self.object_ids)

    @property
    def n_objects(self) -> int:
        """How many objects the pool has."""
        return len(self)

    @property
    def object_ids(self) -> NDArray[np.str_]:
        """`N` identifiers, unique."""
        return self.columns.object_ids

    @property
    def group_ids(self) -> NDArray[np.str_]:
        """`N` galaxies."""
        return self.columns.group_ids

    @property
    def ra(self) -> NDArray[np.float64]:
        """`N`, ICRS degrees."""
        return self.columns.ra

    @property
    def dec(self) -> NDArray[np.float64]:
        """`N`, ICRS degrees."""
        return self.columns.dec

    @property
    def known_values(self) -> NDArray[np.float64]:
        """`N x T` known labels, NaN where unknown."""
        return self.columns.known_values

    @property
    def known_errors(self) -> NDArray[np.float64]:
        """`N x T` errors of the known labels, NaN where unknown."""
        return self.columns.known_errors

    @property
    def modalities(self) -> tuple[str, ...]:
        """The modalities that at least one object has, by name."""
        return tuple(name for name, flag in self._flags.items() if flag.any())

    @property
    def flags(self) -> dict[str, NDArray[np.bool_]]:
        """Modality name to `N` flags: whether each object has it."""
        return dict(self._flags)

    def inputs(
        self, rows: Rows, *, modalities: Collection[str] | None = None
    ) -> Inputs:
        """The measurements of some objects, read from disk.

        Args:
            rows: a slice, row numbers or a mask.
            modalities: what to read, by name; others stay on disk, and the objects are
                as if they did not have them. Photometry is always read: it is small.
                None reads everything.
        """
        if not isinstance(rows, slice):
            numbers: NDArray[Any] = np.asarray(rows)  # Any: every integer width
            rows = np.flatnonzero(numbers) if numbers.dtype == np.bool_ else numbers
        wanted = {
            name: array
            for name, array in self._arrays.items()
            if modalities is None or name in modalities or name == _PHOTOMETRY
        }
        parts: dict[str, Any] = {  # Any: arrays of every modality
            f"has_{name}": self._flags[name][rows] for name in wanted
        }
        for name, array in wanted.items():
            stored = array[rows] if isinstance(rows, slice) else array.oindex[rows]
            parts[name] = np.asarray(stored, dtype=np.float32)
        return Inputs(**parts)

    def spectra(self, rows: slice) -> NDArray[np.float32]:
        """`K x C x L` spectra alone of a pool that has some, 0 where there is none."""
        return np.asarray(self._arrays[_SPECTRUM][rows], dtype=np.float32)

    def chunks(
        self, size: int, *, modalities: Collection[str] | None = None
    ) -> Iterator[tuple[slice, Inputs]]:
        """The whole pool in order, at most `size` objects at a time; as `inputs`."""
        for start in range(0, len(self), size):
            rows = slice(start, min(start + size, len(self)))
            yield rows, self.inputs(rows, modalities=modalities)


def _opened(path: Path, digest: str | None) -> Any:  # Any: zarr.Array
    try:
        return zarr.open_array(path, mode="r")
    except FileNotFoundError as missing:
        raise CorruptArtifact(path / _ZARR, str(digest), NO_FILE) from missing


def write_pool_arrays(
    path: Path,
    columns: PoolColumns,
    *,
    photometry: ArrayLike,
    targets: Sequence[str] = (),
    image: ArrayLike | None = None,
    has_image: ArrayLike | None = None,
    spectrum: ArrayLike | None = None,
    has_spectrum: ArrayLike | None = None,
) -> str:
    """Write a pool's folder; it appears complete or not at all.

    Args:
        path: the folder to create; one that exists already stays as it is.
        columns: the small columns.
        photometry: `N x P`, NaN where missing; an object has photometry if any
            of its columns is a number.
        targets: names of the `T` columns of the known labels.
        image: `N x B x H x W`, anything that can be sliced by rows.
        has_image: `N`; default: every object.
        spectrum: `N x C x L`, anything that can be sliced by rows.
        has_spectrum: `N`; default: every object.

    Returns:
        The digest of the manifest, the same for the same content.
    """
    check_columns(columns, targets)
    n = len(columns.object_ids)
    fluxes = np.asarray(photometry, dtype=np.float32)
    big: dict[str, Any] = {_PHOTOMETRY: fluxes}  # Any: may stay on disk until sliced
    flags: dict[str, NDArray[np.bool_]] = {
        _PHOTOMETRY: np.asarray(np.isfinite(fluxes).any(axis=1))
    }
    for name, array, has in (
        (_IMAGE, image, has_image),
        (_SPECTRUM, spectrum, has_spectrum),
    ):
        if array is not None:
            big[name] = array
            flags[name] = np.ones(n, bool) if has is None else np.asarray(has, bool)
    with new_folder(path) as folder:
        write_columns(folder / OBJECTS, columns, flags)
        for name, array in big.items():
            _write_array(folder / name, array, n)
        describe_pool_folder(
            folder,
            n,
            targets=targets,
            row_shapes={name: array.shape[1:] for name, array in big.items()},
        )
    return manifest_digest(path)


def finish_pool_folder(
    folder: Path,
    columns: PoolColumns,
    flags: dict[str, NDArray[np.bool_]],
    *,
    targets: Sequence[str],
    row_shapes: Mapping[str, tuple[int, ...]],
    facts: Mapping[str, Any],  # Any: JSON values
) -> str:
    """Complete a pool's folder whose big arrays are in place already.

    Args:
        folder: not visible yet; every array of `row_shapes` is in it.
        columns: the small columns.
        flags: modality to `N` flags: whether each object has it.
        targets: names of the `T` columns of the known labels.
        row_shapes: modality to the shape of one object's measurement.
        facts: what else the manifest should say.

    Returns:
        The digest of the manifest.
    """
    check_columns(columns, targets)
    write_columns(folder / OBJECTS, columns, flags)
    return describe_pool_folder(
        folder,
        len(columns.object_ids),
        targets=targets,
        row_shapes=row_shapes,
        facts=facts,
    )


def describe_pool_folder(
    folder: Path,
    n_objects: int,
    *,
    targets: Sequence[str],
    row_shapes: Mapping[str, tuple[int, ...]],
    facts: Mapping[str, Any] | None = None,  # Any: JSON values
) -> str:
    """Write the manifest of a pool's folder in which everything else is in place.

    Args:
        folder: not visible yet.
        n_objects: rows of every column and array.
        targets: names of the `T` columns of the known labels.
        row_shapes: modality to the shape of one object's measurement.
        facts: what else the manifest should say.

    Returns:
        Its digest.
    """
    return write_manifest(
        folder,
        {
            **(facts or {}),
            "version": FORMAT_VERSION,
            "n_objects": n_objects,
            "targets": list(targets),
            "photometry_columns": list(PHOTOMETRY_COLUMNS),
            "shapes": {name: [n_objects, *shape] for name, shape in row_shapes.items()},
        },
    )


def _write_array(path: Path, array: Any, n: int) -> None:  # Any: array-like on disk
    if array.shape[0] != n:
        raise ValueError(f"{path.name}: expected {n} rows, found {array.shape[0]}")
    stored = GrowingArray(path, tuple(array.shape[1:]))
    step = chunk_rows(tuple(array.shape[1:]))
    for start in range(0, n, step):
        stored.append(np.asarray(array[start : start + step]))
    stored.finish()
