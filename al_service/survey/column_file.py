"""Columns in one file, written and read in parts.

The file is what `numpy.savez` writes, byte for byte, and `numpy.load` reads it; numpy
itself wants every column whole in memory.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_STORED, ZipFile

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # Any: text, numbers or flags


@dataclass(frozen=True)
class Column:
    """A column that is brought when it is written."""

    dtype: "np.dtype[Any]"  # Any: as the parts
    shape: tuple[int, ...]
    """Of the whole, rows first."""
    parts: Iterable[Array]
    """All rows, in order."""


def write_column_file(path: Path, columns: Mapping[str, Column]) -> None:
    """Write columns one after the other, none of them ever whole in memory.

    Raises:
        ValueError: the parts of a column have other rows than it says.
    """
    with ZipFile(path, "w", ZIP_STORED, allowZip64=True) as archive:
        for name, column in columns.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                _write(file, name, column)


def column_names(path: Path) -> set[str]:
    """The columns of a file."""
    with ZipFile(path) as archive:
        return {name.removesuffix(".npy") for name in archive.namelist()}


def read_column_parts(
    path: Path, names: Sequence[str], size: int
) -> Iterator[dict[str, Array]]:
    """Some columns of one dimension, `size` rows at a time.

    Args:
        path: written by `write_column_file` or `numpy.savez`.
        names: of the columns, of equal length; those that are not there are left out.
        size: rows of a part.
    """
    with ZipFile(path) as archive, ExitStack() as stack:
        there = set(archive.namelist())
        files = {
            name: stack.enter_context(archive.open(f"{name}.npy"))
            for name in names
            if f"{name}.npy" in there
        }
        heads = {name: _read_head(file, name) for name, file in files.items()}
        rows = min((n for n, _ in heads.values()), default=0)
        for start in range(0, rows, size):
            count = min(size, rows - start)
            yield {
                name: np.frombuffer(file.read(count * dtype.itemsize), dtype)
                for (name, file), (_, dtype) in zip(
                    files.items(), heads.values(), strict=True
                )
            }


def _write(file: IO[bytes], name: str, column: Column) -> None:
    np.lib.format.write_array_header_1_0(
        file,
        {
            "descr": np.lib.format.dtype_to_descr(column.dtype),
            "fortran_order": False,
            "shape": column.shape,
        },
    )
    rows = 0
    for part in column.parts:
        file.write(np.ascontiguousarray(part, dtype=column.dtype).tobytes())
        rows += len(part)
    if rows != column.shape[0]:
        raise ValueError(f"{name}: expected {column.shape[0]} rows, found {rows}")


def _read_head(file: IO[bytes], name: str) -> tuple[int, "np.dtype[Any]"]:
    """How many rows a column has, and of what."""
    np.lib.format.read_magic(file)
    shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    if len(shape) != 1:
        raise ValueError(f"{name}: expected one dimension, found shape {shape}")
    return int(shape[0]), dtype
