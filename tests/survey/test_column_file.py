"""Columns in a file that are never whole in memory."""

from pathlib import Path

import numpy as np
import pytest

from al_service.survey.column_file import (
    Column,
    column_names,
    read_column_parts,
    write_column_file,
)

NAMES = np.array([f"J{number:04d}" for number in range(10)], dtype=np.bytes_)
LABELS = np.arange(20.0).reshape(10, 2)


def write(path: Path) -> None:
    short, long = NAMES[:3].astype("S3").astype("S5"), NAMES[3:]
    short[:] = NAMES[:3]
    columns = {
        "names": Column(np.dtype("S5"), (10,), [short, long]),
        "labels": Column(np.dtype(np.float64), (10, 2), [LABELS[:7], LABELS[7:]]),
        "flags": Column(np.dtype(np.bool_), (10,), [LABELS[:, 0] > 9]),
    }
    write_column_file(path, columns)


def test_the_file_is_what_numpy_writes_byte_for_byte(tmp_path: Path) -> None:
    write(tmp_path / "ours.npz")
    np.savez(
        tmp_path / "theirs.npz", names=NAMES, labels=LABELS, flags=LABELS[:, 0] > 9
    )
    ours = (tmp_path / "ours.npz").read_bytes()
    assert ours == (tmp_path / "theirs.npz").read_bytes()


def test_columns_are_read_in_parts_beside_each_other(tmp_path: Path) -> None:
    write(tmp_path / "columns.npz")
    assert column_names(tmp_path / "columns.npz") == {"names", "labels", "flags"}
    parts = list(
        read_column_parts(tmp_path / "columns.npz", ["flags", "other", "names"], 4)
    )
    assert [sorted(part) for part in parts] == [["flags", "names"]] * 3
    assert [len(part["names"]) for part in parts] == [4, 4, 2]
    assert np.concatenate([part["names"] for part in parts]).tolist() == NAMES.tolist()
    assert np.concatenate([part["flags"] for part in parts]).tolist() == [
        number > 4 for number in range(10)
    ]


def test_a_column_with_missing_rows_is_not_written_as_if_it_were_whole(
    tmp_path: Path,
) -> None:
    column = Column(np.dtype("S5"), (10,), [NAMES[:9]])
    with pytest.raises(ValueError, match="names: expected 10 rows, found 9"):
        write_column_file(tmp_path / "columns.npz", {"names": column})
