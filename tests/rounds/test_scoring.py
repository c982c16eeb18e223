import os
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from al_service.errors import CorruptArtifact, RunStopped
from al_service.models.config import ModelConfig
from al_service.models.network import Network
from al_service.posterior.features import extract
from al_service.posterior.fitting import TrainingSet, fit_network
from al_service.rounds.scoring import (
    FeatureCache,
    cache_features,
    find_cache,
    open_cache,
)
from al_service.survey.pool_arrays import PoolArrays
from al_service.survey.pool_view import whole_pool
from al_service.survey.sdss10k import write_sdss10k
from tests.rounds.observatory import SMALL_MODEL

CHUNK = 2048
N_CHUNKS = 5
"""10,000 galaxies in chunks of 2048."""


@pytest.fixture(scope="module")
def arrays(tmp_path_factory: pytest.TempPathFactory) -> PoolArrays:
    path = tmp_path_factory.mktemp("pool") / "sdss10k"
    write_sdss10k(path)
    return PoolArrays.open(path)


@pytest.fixture(scope="module")
def network(arrays: PoolArrays) -> Network:
    some = slice(0, 40)
    return fit_network(
        TrainingSet(
            arrays.inputs(some), arrays.known_values[some], arrays.known_errors[some]
        ),
        targets=("z",),
        config=ModelConfig.model_validate(SMALL_MODEL),
        seed=0,
    )


def fill(
    network: Network, arrays: PoolArrays, folder: Path, *, chunks: int = N_CHUNKS
) -> FeatureCache:
    """Fill a cache, and be stopped before chunk `chunks`."""
    begun = 0

    def stops() -> bool:
        nonlocal begun
        begun += 1
        return begun > chunks

    return cache_features(
        network,
        whole_pool(arrays),
        folder,
        chunk=CHUNK,
        progress=lambda _share: None,
        should_stop=stops,
    )


def test_cached_features_are_the_features(
    network: Network, arrays: PoolArrays, tmp_path: Path
) -> None:
    cache = fill(network, arrays, tmp_path / "cache")

    rows = np.array([9999, 0, 2047, 2048, 5])
    cached, direct = cache.take(rows), extract(network, arrays.inputs(rows))
    assert cache.n_objects == arrays.n_objects
    np.testing.assert_allclose(cached.phi, direct.phi, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(cached.noise, direct.noise, rtol=1e-4)
    np.testing.assert_array_equal(cached.patterns, direct.patterns)


def test_a_crash_costs_one_chunk(
    network: Network, arrays: PoolArrays, tmp_path: Path
) -> None:
    folder = tmp_path / "cache"
    with pytest.raises(RunStopped, match="4096 of 10000"):
        fill(network, arrays, folder, chunks=2)
    assert find_cache(folder) is None
    # What was finished is not computed again: it keeps a mark that we leave in it.
    phi = np.lib.format.open_memmap(folder / "phi.npy", mode="r+")
    phi[0], phi[4096] = 7.0, 7.0
    phi.flush()

    cache = fill(network, arrays, folder)

    assert find_cache(folder) is not None
    assert (cache.arrays["phi"][0] == 7.0).all()
    assert (cache.arrays["phi"][4096] != 7.0).all(), "half a chunk counts for nothing"


def test_a_complete_cache_is_read_and_not_computed(
    network: Network, arrays: PoolArrays, tmp_path: Path
) -> None:
    folder = tmp_path / "cache"
    fill(network, arrays, folder)
    before = (folder / "phi.npy").stat().st_mtime_ns

    fill(network, arrays, folder)

    assert (folder / "phi.npy").stat().st_mtime_ns == before
    assert isinstance(open_cache(folder).arrays["phi"], np.memmap), "never in memory"


def truncate(path: Path) -> None:
    os.truncate(path, 100_000)


def flip_a_bit(path: Path) -> None:
    whole = bytearray(path.read_bytes())
    whole[5000] ^= 1
    path.write_bytes(whole)


@pytest.mark.parametrize("damage", [truncate, flip_a_bit, Path.unlink])
def test_a_damaged_cache_is_named_and_computed_anew(
    network: Network,
    arrays: PoolArrays,
    tmp_path: Path,
    damage: Callable[[Path], None],
) -> None:
    """It ended every run of its campaign, or changed what they said."""
    folder = tmp_path / "cache"
    before = np.array(fill(network, arrays, folder).arrays["phi"])

    damage(folder / "phi.npy")

    with pytest.raises(CorruptArtifact, match="cache: expected the digest"):
        open_cache(folder)
    assert find_cache(folder) is None
    after = fill(network, arrays, folder).arrays["phi"]
    np.testing.assert_array_equal(after, before)


def test_two_workers_may_fill_one_cache(
    network: Network, arrays: PoolArrays, tmp_path: Path
) -> None:
    folder = tmp_path / "cache"
    start = threading.Barrier(2)
    filled: list[FeatureCache] = []

    def work() -> None:
        start.wait(60.0)
        filled.append(fill(network, arrays, folder))

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60.0)

    alone = fill(network, arrays, tmp_path / "alone")
    assert len(filled) == 2
    np.testing.assert_array_equal(filled[0].arrays["phi"], alone.arrays["phi"])
