"""The objects of a pool in parts, as a database is filled with them.

Whoever opens a pool has all its small columns in memory: half a kilobyte an object.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from al_service.survey.atomic_folder import read_manifest
from al_service.survey.column_file import column_names, read_column_parts
from al_service.survey.pool_arrays import MODALITIES, OBJECTS

PART_ROWS: Final = 20_000
"""Some 10 MB as Python's texts and numbers."""

_TEXTS: Final = ("object_ids", "group_ids", "declared_groups")


@dataclass(frozen=True)
class ObjectsPart:
    """`K` objects that follow each other."""

    object_ids: list[str]
    group_ids: list[str]
    declared_groups: list[str]
    """`group_ids` where no catalog declared any."""
    ra: list[float]
    dec: list[float]
    flags: dict[str, list[bool]]
    """Modality to flags: whether each object has it; all modalities are there."""


class PoolObjects:
    """The objects of a pool's folder; they stay on disk until they are asked for."""

    def __init__(self, folder: Path) -> None:
        manifest = read_manifest(folder)
        self._path = folder / OBJECTS
        self.targets: tuple[str, ...] = tuple(manifest["targets"])
        self._n: int = manifest["n_objects"]

    def __len__(self) -> int:
        return self._n

    @property
    def modalities(self) -> tuple[str, ...]:
        """The modalities that at least one object has, by name."""
        flags = [f"has_{name}" for name in MODALITIES]
        there: set[str] = set()
        for part in read_column_parts(self._path, flags, PART_ROWS):
            there |= {name for name, flag in part.items() if flag.any()}
        return tuple(name for name in MODALITIES if f"has_{name}" in there)

    @property
    def is_declared(self) -> bool:
        """Whether a catalog has declared galaxies."""
        return "declared_groups" in column_names(self._path)

    def parts(self) -> Iterator[ObjectsPart]:
        """All objects, in order."""
        flags = [f"has_{name}" for name in MODALITIES]
        names = [*_TEXTS, "ra", "dec", *flags]
        for part in read_column_parts(self._path, names, PART_ROWS):
            yield _objects(part)


def _objects(part: dict[str, NDArray[Any]]) -> ObjectsPart:  # Any: as stored
    absent = np.zeros(len(part["ra"]), dtype=bool)
    groups = _decoded(part["group_ids"])
    declared = part.get("declared_groups")
    return ObjectsPart(
        object_ids=_decoded(part["object_ids"]),
        group_ids=groups,
        declared_groups=groups if declared is None else _decoded(declared),
        ra=part["ra"].tolist(),
        dec=part["dec"].tolist(),
        flags={name: part.get(f"has_{name}", absent).tolist() for name in MODALITIES},
    )


def _decoded(texts: NDArray[np.bytes_]) -> list[str]:
    return [text.decode() for text in texts.tolist()]
