"""The objects of a pool in parts."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from al_service.survey import pool_objects
from al_service.survey.pool_arrays import PoolArrays, write_pool_arrays
from al_service.survey.pool_objects import PoolObjects
from tests.survey.test_pool_arrays import N, P, columns


@pytest.mark.parametrize("declared", [False, True])
def test_parts_hold_what_the_whole_pool_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, declared: bool
) -> None:
    monkeypatch.setattr(pool_objects, "PART_ROWS", 7)
    groups = np.array([f"galaxy {number}" for number in range(N)])
    small = replace(columns(), declared_groups=groups if declared else None)
    write_pool_arrays(
        tmp_path / "pool",
        small,
        targets=("z",),
        photometry=np.full((N, P), np.nan),
        spectrum=np.ones((N, 2, 8), dtype=np.float32),
        has_spectrum=np.arange(N) == 7,
    )
    whole = PoolArrays.open(tmp_path / "pool")
    pool = PoolObjects(tmp_path / "pool")
    parts = list(pool.parts())

    assert (len(pool), pool.targets, pool.is_declared) == (N, ("z",), declared)
    assert pool.modalities == whole.modalities == ("spectrum",)
    assert [len(part.object_ids) for part in parts] == [7] * 7 + [1]
    assert [name for part in parts for name in part.object_ids] == list(
        whole.object_ids
    )
    assert [name for part in parts for name in part.group_ids] == list(whole.group_ids)
    assert [name for part in parts for name in part.declared_groups] == list(
        groups if declared else whole.group_ids
    )
    assert [ra for part in parts for ra in part.ra] == whole.ra.tolist()
    assert [dec for part in parts for dec in part.dec] == whole.dec.tolist()
    for name, flags in (
        ("spectrum", whole.flags["spectrum"].tolist()),
        ("image", [False] * N),
    ):
        assert [flag for part in parts for flag in part.flags[name]] == flags
