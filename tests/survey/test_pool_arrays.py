"""Pools on disk."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from al_service.errors import CorruptArtifact
from al_service.survey.inputs import Inputs
from al_service.survey.photometry_columns import PHOTOMETRY_COLUMNS, errors_from_ivar
from al_service.survey.pool_arrays import PoolArrays, PoolColumns, write_pool_arrays

Floats = NDArray[np.floating[Any]]  # Any: every precision

N, P = 50, len(PHOTOMETRY_COLUMNS)


def columns(n: int = N) -> PoolColumns:
    names = np.array([f"J{number:04d}+ä" for number in range(n)])
    return PoolColumns(
        object_ids=names,
        group_ids=names,
        ra=np.linspace(0, 359, n),
        dec=np.linspace(-80, 80, n),
        known_values=np.linspace(0, 1, n)[:, None],
        known_errors=np.full((n, 1), np.nan),
    )


def photometry() -> Floats:
    values = np.random.default_rng(1).normal(size=(N, P)).astype(np.float32)
    values[3] = np.nan
    return values


def write(path: Path) -> str:
    return write_pool_arrays(
        path,
        columns(),
        photometry=photometry(),
        targets=("z",),
        image=np.ones((N, 5, 8, 8), dtype=np.float32),
        has_image=np.arange(N) % 2 == 0,
    )


def test_a_modality_that_no_object_has_is_none_of_the_pool(tmp_path: Path) -> None:
    """Pools of spectra alone were listed as having photometry."""
    write_pool_arrays(
        tmp_path / "pool",
        columns(),
        targets=("z",),
        photometry=np.full((N, P), np.nan),
        spectrum=np.ones((N, 2, 8), dtype=np.float32),
        has_spectrum=np.arange(N) == 7,
    )
    assert PoolArrays.open(tmp_path / "pool").modalities == ("spectrum",)


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    digest = write(tmp_path / "pool")
    pool = PoolArrays.open(tmp_path / "pool", digest=digest, verify=True)
    assert pool.n_objects == len(pool) == N
    assert pool.targets == ("z",)
    assert pool.modalities == ("photometry", "image")
    for name, array in vars(columns()).items():
        np.testing.assert_array_equal(getattr(pool.columns, name), array)
    np.testing.assert_array_equal(pool.inputs(slice(None)).photometry, photometry())


def test_rows_come_in_the_order_in_which_they_were_asked_for(tmp_path: Path) -> None:
    write(tmp_path / "pool")
    pool = PoolArrays.open(tmp_path / "pool")
    rows = np.array([7, 3, 11])
    asked = pool.inputs(rows)
    np.testing.assert_array_equal(asked.photometry, photometry()[rows])
    assert list(asked.has_photometry) == [True, False, True]
    assert asked.has_image is not None
    assert list(asked.patterns) == [1, 0, 1]
    mask = np.zeros(N, dtype=bool)
    mask[[3, 8]] = True
    assert list(pool.inputs(mask).patterns) == [0, 3]


def test_chunks_walk_the_whole_pool_once(tmp_path: Path) -> None:
    write(tmp_path / "pool")
    pool = PoolArrays.open(tmp_path / "pool")
    seen = list(pool.chunks(20))
    assert [len(part) for _, part in seen] == [20, 20, 10]
    joined = np.concatenate([part.photometry for _, part in seen])
    np.testing.assert_array_equal(joined, photometry())


def test_the_same_content_has_the_same_digest_and_a_second_writer_changes_nothing(
    tmp_path: Path,
) -> None:
    first = write(tmp_path / "pool")
    assert write(tmp_path / "pool") == first
    assert write(tmp_path / "copy") == first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "pool"]


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="image: expected 50 rows, found 3"):
        write_pool_arrays(
            tmp_path / "pool",
            columns(),
            photometry=photometry(),
            targets=("z",),
            image=np.ones((3, 5, 8, 8)),
        )
    assert list(tmp_path.iterdir()) == []


def test_a_changed_file_is_noticed_when_the_pool_is_verified(tmp_path: Path) -> None:
    write(tmp_path / "pool")
    chunk = tmp_path / "pool" / "photometry" / "c" / "0" / "0"
    content = bytearray(chunk.read_bytes())
    content[-1] ^= 1
    chunk.write_bytes(content)
    with pytest.raises(CorruptArtifact, match=hashlib.sha256(content).hexdigest()):
        PoolArrays.open(tmp_path / "pool", verify=True)


def test_another_manifest_than_the_expected_one_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "pool")
    with pytest.raises(CorruptArtifact, match="expected the digest 0000"):
        PoolArrays.open(tmp_path / "pool", digest="0" * 64)


@pytest.mark.parametrize("lost", ["image/zarr.json", "manifest.json"])
def test_a_lost_file_is_named_when_the_pool_is_opened(
    tmp_path: Path, lost: str
) -> None:
    write(tmp_path / "pool")
    (tmp_path / "pool" / lost).unlink()
    with pytest.raises(CorruptArtifact, match=f"{lost}: expected .*, found no file"):
        PoolArrays.open(tmp_path / "pool")


def test_duplicate_identifiers_are_refused(tmp_path: Path) -> None:
    twice = columns()
    twice.object_ids[1] = twice.object_ids[0]
    with pytest.raises(ValueError, match="unique"):
        write_pool_arrays(
            tmp_path / "pool", twice, photometry=photometry(), targets=("z",)
        )


def test_an_inverse_variance_of_zero_is_no_measurement() -> None:
    errors = errors_from_ivar(np.array([4.0, 0.0, -1.0]))
    assert errors[0] == pytest.approx(0.5)
    assert np.isnan(errors[1:]).all()


def test_photometry_with_a_column_too_few_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected N x 25, found shape \(2, 24\)"):
        Inputs.of_photometry(np.zeros((2, 24)))
