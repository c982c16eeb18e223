"""A simulated survey is a pool that keeps its promises."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from al_service.errors import InvalidInput
from al_service.survey.images.stamp import STAMP_SHAPE, problem_of
from al_service.survey.pool_arrays import PoolArrays
from al_service.survey.positions import MATCH_RADIUS_ARCSEC
from al_service.survey.sdss10k import read_sdss10k
from al_service.survey.simulation import simulate as simulating
from al_service.survey.simulation.anchors import read_anchors
from al_service.survey.simulation.settings import default_settings
from al_service.survey.simulation.simulate import read_latents, simulate
from al_service.survey.targets import DEFAULT_TARGETS, check_values

N = 200


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> PoolArrays:
    return simulate(tmp_path_factory.mktemp("simulated") / "pool", N, seed=3)


def test_the_same_seed_gives_the_same_bytes(pool: PoolArrays, tmp_path: Path) -> None:
    again = simulate(tmp_path / "again", N, seed=3)
    other = simulate(tmp_path / "other", N, seed=4)
    assert _manifest(again) == _manifest(pool)
    assert _manifest(other) != _manifest(pool)


def test_the_number_of_threads_changes_no_byte(
    pool: PoolArrays, tmp_path: Path
) -> None:
    with threadpool_limits(2, user_api="blas"):
        two = simulate(tmp_path / "two", N, seed=3)
    with threadpool_limits(1, user_api="blas"):
        one = simulate(tmp_path / "one", N, seed=3)
    assert _manifest(two) == _manifest(one) == _manifest(pool)


def test_a_larger_survey_begins_like_a_smaller_one(
    pool: PoolArrays, tmp_path: Path
) -> None:
    larger = simulate(tmp_path / "larger", N + 56, seed=3)
    whole = N // 64 * 64  # batches that are whole in both
    few = pool.inputs(slice(0, whole))
    many = larger.inputs(slice(0, whole))
    assert few.image is not None
    assert many.image is not None
    np.testing.assert_array_equal(few.image, many.image)
    np.testing.assert_array_equal(few.photometry, many.photometry)


def test_objects_are_of_real_galaxies_and_share_their_groups(pool: PoolArrays) -> None:
    real, _ = read_sdss10k()
    assert set(pool.group_ids) <= set(real.group_ids)
    assert len(set(pool.object_ids)) == N
    assert pool.targets == DEFAULT_TARGETS


def test_stamps_are_what_the_importer_would_take(pool: PoolArrays) -> None:
    inputs = pool.inputs(slice(0, N))
    assert inputs.image is not None
    assert inputs.has_image is not None
    assert inputs.image.shape[1:] == STAMP_SHAPE
    for stamp in inputs.image[inputs.has_image]:
        assert problem_of(stamp) is None
    assert not inputs.image[~inputs.has_image].any()


def test_every_label_is_one_that_the_service_would_store(pool: PoolArrays) -> None:
    for row in pool.known_values:
        label = {
            target: float(value)
            for target, value in zip(pool.targets, row, strict=True)
            if np.isfinite(value)
        }
        assert check_values(label) == []


def test_the_rate_is_the_sum_of_fiber_and_outside(pool: PoolArrays) -> None:
    truth = read_latents(pool)
    total = 10.0 ** truth["log_sfr_fiber"] + 10.0 ** truth["log_sfr_outside"]
    np.testing.assert_allclose(total, 10.0 ** truth["log_sfr"], rtol=1e-4)


def test_a_survey_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="expected 1 to"):
        simulate(tmp_path / "none", 0, seed=0)
    assert not (tmp_path / "none").exists()


def test_shares_of_what_is_missing_are_those_of_the_settings(tmp_path: Path) -> None:
    settings = default_settings().with_changes(
        {"gaps": {"without_spectrum": 0.7, "without_image": 0.0, "junk": 0.1}}
    )
    pool = simulate(tmp_path / "pool", 640, settings, seed=0)
    assert pool.flags["image"].all()
    assert pool.flags["spectrum"].mean() == pytest.approx(0.3, abs=0.06)
    junk = read_latents(pool)["kind"] > 0
    assert junk.mean() == pytest.approx(0.1, abs=0.04)
    assert not np.isfinite(pool.known_values[junk]).any()


def test_galaxies_that_come_again_share_a_group_and_stand_apart(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    few = read_anchors(default_settings().anchors).take(np.arange(30))
    monkeypatch.setattr(simulating, "read_anchors", lambda _: few)
    pool = simulate(tmp_path / "pool", 90, seed=0)
    groups, counts = np.unique(pool.group_ids, return_counts=True)
    assert len(groups) == 30
    assert (counts == 3).all()
    truth = read_latents(pool)
    for group in groups:
        rows = np.flatnonzero(pool.group_ids == group)
        assert len(set(truth["z"][rows])) == 3
        apart = np.abs(np.diff(np.sort(pool.dec[rows]))) * 3600.0
        assert (apart > 2 * MATCH_RADIUS_ARCSEC).all()


def test_memory_does_not_grow_with_the_survey(tmp_path: Path) -> None:
    simulate(tmp_path / "first", 64, seed=0)  # what is read once and kept
    peaks = []
    for n in (512, 1152):  # both fill several chunks of every array
        tracemalloc.start()
        simulate(tmp_path / str(n), n, seed=0)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # 640 further objects hold 75 MB in the pool; a twentieth of that may stay.
    assert peaks[1] - peaks[0] < 4e6


def _manifest(pool: PoolArrays) -> bytes:
    return (pool.path / "manifest.json").read_bytes()
