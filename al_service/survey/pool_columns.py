"""The small columns of a pool: in memory, and in one file beside its arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class PoolColumns:
    """The small columns of a pool, in memory."""

    object_ids: NDArray[np.str_]
    """`N` identifiers, unique."""
    group_ids: NDArray[np.str_]
    """`N` galaxies: repeat observations share one."""
    ra: NDArray[np.float64]
    """`N`, ICRS degrees."""
    dec: NDArray[np.float64]
    """`N`, ICRS degrees."""
    known_values: NDArray[np.float64]
    """`N x T` known labels in the targets' units, NaN where unknown."""
    known_errors: NDArray[np.float64]
    """`N x T` their standard deviations, NaN where unknown."""
    declared_groups: NDArray[np.str_] | None = None
    """`N` galaxies as a catalog declared them, where it did: `group_ids` joins those
    that are found at one place."""


def check_columns(columns: PoolColumns, targets: Sequence[str]) -> None:
    """Refuse columns that no pool can have.

    Raises:
        ValueError: an identifier is there twice, or a column has another shape.
    """
    ids = columns.object_ids
    shape = (len(ids), len(targets))
    if len(np.unique(ids)) != len(ids):
        raise ValueError("object_ids: expected unique identifiers, found duplicates")
    for name in ("known_values", "known_errors"):
        found = getattr(columns, name).shape
        if found != shape:
            raise ValueError(f"{name}: expected shape {shape}, found {found}")


def read_columns(
    path: Path, modalities: Sequence[str]
) -> tuple[PoolColumns, dict[str, NDArray[np.bool_]]]:
    """The columns of a file, and modality to `N` flags: whether an object has it.

    Args:
        path: written by `write_columns`.
        modalities: names of those that there can be, in the order of the flags.
    """
    with np.load(path, allow_pickle=False) as stored:
        flags = {
            name: stored[f"has_{name}"]
            for name in modalities
            if f"has_{name}" in stored
        }
        columns = PoolColumns(
            object_ids=np.char.decode(stored["object_ids"], "utf-8"),
            group_ids=np.char.decode(stored["group_ids"], "utf-8"),
            ra=stored["ra"],
            dec=stored["dec"],
            known_values=stored["known_values"],
            known_errors=stored["known_errors"],
            declared_groups=np.char.decode(stored["declared_groups"], "utf-8")
            if "declared_groups" in stored
            else None,
        )
    return columns, flags


def write_columns(
    path: Path, columns: PoolColumns, flags: Mapping[str, NDArray[np.bool_]]
) -> None:
    """Write columns and flags to a file, text as UTF-8."""
    declared = columns.declared_groups
    names = (
        {}
        if declared is None
        else {"declared_groups": np.char.encode(declared, "utf-8")}
    )
    np.savez(
        path,
        allow_pickle=False,
        **names,
        object_ids=np.char.encode(columns.object_ids, "utf-8"),
        group_ids=np.char.encode(columns.group_ids, "utf-8"),
        ra=np.asarray(columns.ra, np.float64),
        dec=np.asarray(columns.dec, np.float64),
        known_values=np.asarray(columns.known_values, np.float64),
        known_errors=np.asarray(columns.known_errors, np.float64),
        **{f"has_{name}": flag for name, flag in flags.items()},
    )
