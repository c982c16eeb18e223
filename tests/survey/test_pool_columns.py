"""The small columns of a pool, written whole or in parts."""

from pathlib import Path

import numpy as np

from al_service.survey.pool_columns import (
    ColumnParts,
    PoolColumns,
    read_columns,
    write_column_parts,
    write_columns,
)

IDS = np.array(["a", "a-very-long-name", "銀河", "d"])
GROUPS = np.array(["a", "a", "銀河", "d"])
SKY = np.array([1.0, 1.0, 2.0, 3.0])
LABELS = np.array([[0.1], [np.nan], [0.2], [0.3]])
FLAGS = {"photometry": np.array([True, False, True, True])}


def test_parts_make_the_file_that_whole_columns_make(tmp_path: Path) -> None:
    """Wider parts once gave another digest: an import was refused when repeated.

    The galaxies of a part have room for the longest name that was joined, even where
    the names that lead are all short.
    """
    whole = PoolColumns(IDS, GROUPS, SKY, -SKY, LABELS, LABELS / 10)
    write_columns(tmp_path / "whole.npz", whole, FLAGS)
    ids, groups = np.char.encode(IDS, "utf-8"), np.char.encode(GROUPS, "utf-8")
    parts = ColumnParts(
        n_objects=4,
        n_targets=1,
        object_ids=lambda: [ids[:1], ids[1:1], ids[1:]],
        group_ids=lambda: [groups[:3].astype("S40"), groups[3:].astype("S1")],
        ra=lambda: [SKY[:3], SKY[3:]],
        dec=lambda: [-SKY[:1], -SKY[1:]],
        known_values=lambda: [LABELS[:2], LABELS[2:]],
        known_errors=lambda: [LABELS / 10],
    )
    write_column_parts(tmp_path / "parts.npz", parts, FLAGS)

    assert (tmp_path / "parts.npz").read_bytes() == (
        tmp_path / "whole.npz"
    ).read_bytes()
    columns, flags = read_columns(tmp_path / "parts.npz", ["photometry", "image"])
    assert columns.object_ids.tolist() == IDS.tolist()
    assert columns.group_ids.tolist() == GROUPS.tolist()
    assert {name: flag.tolist() for name, flag in flags.items()} == {
        "photometry": [True, False, True, True]
    }
