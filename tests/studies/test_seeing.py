"""Replays in which objects are compared by gradients, held back, or kept mixed."""

from pathlib import Path

import numpy as np
import pytest

from al_service.errors import InvalidInput
from al_service.studies.campaign import Curve
from al_service.studies.replay import run_replay
from tests.studies.conftest import small_replay


def replayed(pool: Path, arm: str) -> Curve:
    settings = small_replay(strategies=(arm,), seeds=1, rounds=1, processes=1)
    return run_replay(pool, settings)[0]


@pytest.mark.parametrize("strategy", ["lcmd", "bait"])
def test_an_arm_may_compare_objects_by_gradients(
    small_pool: Path, strategy: str
) -> None:
    plain = replayed(small_pool, strategy)
    steep = replayed(small_pool, f"{strategy}:features=gradient")

    assert steep.points[0] == plain.points[0]
    assert steep.chosen[:40] == plain.chosen[:40]
    assert len(set(steep.chosen)) == 60
    assert set(steep.chosen[40:]) != set(plain.chosen[40:])
    assert steep.chosen == replayed(small_pool, f"{strategy}:features=gradient").chosen


def test_colors_are_kept_mixed(small_pool: Path) -> None:
    mixed = replayed(small_pool, "top_variance:quota=0.5:quota_by=color")

    assert len(np.unique(mixed.chosen)) == 60


def test_flags_of_a_scan_are_refused_where_nobody_scans(small_pool: Path) -> None:
    with pytest.raises(InvalidInput, match="expected a redshift scan"):
        replayed(small_pool, 'lcmd:hold_back=["not_a_galaxy"]')
