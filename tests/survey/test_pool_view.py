"""Some objects of a pool, read when they are asked for."""

from pathlib import Path

import numpy as np
import pytest

from al_service.survey.pool_arrays import PoolArrays, PoolColumns, write_pool_arrays
from al_service.survey.pool_view import whole_pool

N = 12


@pytest.fixture
def arrays(tmp_path: Path) -> PoolArrays:
    numbers = np.arange(N)
    write_pool_arrays(
        tmp_path / "pool",
        PoolColumns(
            object_ids=numbers.astype(str),
            group_ids=numbers.astype(str),
            ra=numbers.astype(np.float64),
            dec=numbers.astype(np.float64),
            known_values=np.empty((N, 0)),
            known_errors=np.empty((N, 0)),
        ),
        photometry=np.ones((N, 25)) * numbers[:, None],
        image=np.ones((N, 5, 8, 8)) * numbers[:, None, None, None],
        spectrum=np.ones((N, 2, 10)) * numbers[:, None, None],
        has_spectrum=numbers % 2 == 0,
    )
    return PoolArrays.open(tmp_path / "pool")


def test_rows_come_in_the_order_in_which_they_are_asked_for(arrays: PoolArrays) -> None:
    view = whole_pool(arrays).of(np.array([7, 3, 5]))
    assert len(view) == 3
    taken = view.take(np.array([2, 0]))
    assert taken.image is not None
    assert taken.image[:, 0, 0, 0].tolist() == [5.0, 7.0]
    assert taken.photometry[:, 0].tolist() == [5.0, 7.0]
    together = whole_pool(arrays).take(slice(4, 7)).image
    assert together is not None
    assert together[:, 0, 0, 0].tolist() == [4.0, 5.0, 6.0]


def test_the_scan_goes_with_its_objects(arrays: PoolArrays) -> None:
    scan = np.arange(3.0 * N).reshape(N, 3)
    taken = whole_pool(arrays, scan=scan).of(np.array([9, 2])).take(slice(0, 2))
    np.testing.assert_array_equal(taken.scan, scan[[9, 2]])


def test_what_nobody_looks_at_stays_on_disk(arrays: PoolArrays) -> None:
    """Reading every modality of 8192 objects took a gigabyte."""
    view = whole_pool(arrays, modalities=frozenset({"image"}))
    taken = view.take(slice(0, N))
    assert taken.spectrum is None
    assert taken.has_spectrum is None
    assert taken.image is not None
    assert set(taken.patterns.tolist()) == {3}
    for _, inputs in arrays.chunks(5, modalities=()):
        assert inputs.image is None
