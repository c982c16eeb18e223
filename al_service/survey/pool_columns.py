"""The small columns of a pool: in memory, and in one file beside its arrays."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from al_service.survey.column_file import Column, write_column_file

Texts: TypeAlias = Callable[[], Iterable[NDArray[np.bytes_]]]
"""Brings parts of a column of text, UTF-8, as often as it is called."""

Numbers: TypeAlias = Callable[[], Iterable[NDArray[np.float64]]]
"""Brings parts of a column of numbers, as often as it is called."""


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


@dataclass(frozen=True)
class ColumnParts:
    """The small columns of a pool, brought in parts: none is ever whole in memory."""

    n_objects: int
    n_targets: int
    object_ids: Texts
    group_ids: Texts
    ra: Numbers
    dec: Numbers
    known_values: Numbers
    known_errors: Numbers
    declared_groups: Texts | None = None


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
    whole = ColumnParts(
        n_objects=len(columns.object_ids),
        n_targets=columns.known_values.shape[1],
        object_ids=lambda: [np.char.encode(columns.object_ids, "utf-8")],
        group_ids=lambda: [np.char.encode(columns.group_ids, "utf-8")],
        ra=lambda: [columns.ra],
        dec=lambda: [columns.dec],
        known_values=lambda: [columns.known_values],
        known_errors=lambda: [columns.known_errors],
        declared_groups=None
        if declared is None
        else lambda: [np.char.encode(declared, "utf-8")],
    )
    write_column_parts(path, whole, flags)


def write_column_parts(
    path: Path, columns: ColumnParts, flags: Mapping[str, NDArray[np.bool_]]
) -> None:
    """The same file as of `write_columns`, out of columns that come in parts."""
    n, t = columns.n_objects, columns.n_targets
    texts = {"object_ids": columns.object_ids, "group_ids": columns.group_ids}
    if columns.declared_groups is not None:
        texts = {"declared_groups": columns.declared_groups, **texts}
    float64, boolean = np.dtype(np.float64), np.dtype(np.bool_)
    write_column_file(
        path,
        {name: Column(_widest(bring()), (n,), bring()) for name, bring in texts.items()}
        | {
            "ra": Column(float64, (n,), columns.ra()),
            "dec": Column(float64, (n,), columns.dec()),
            "known_values": Column(float64, (n, t), columns.known_values()),
            "known_errors": Column(float64, (n, t), columns.known_errors()),
        }
        | {
            f"has_{name}": Column(boolean, (n,), [flag]) for name, flag in flags.items()
        },
    )


def _widest(parts: Iterable[NDArray[np.bytes_]]) -> "np.dtype[np.bytes_]":
    """A text column has the width of its longest text; parts may have room for more."""
    width = max(
        (int(np.char.str_len(part).max(initial=1)) for part in parts), default=1
    )
    return np.dtype(f"S{width}")
