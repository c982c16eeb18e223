"""One seed's sky: what may be asked, what examines, and the order of chance."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from al_service.errors import InvalidInput
from al_service.randomness import derived_seed, random_key
from al_service.survey.pool_arrays import PoolArrays

_LARGEST_TEST_SHARE = 0.4
"""Share of the labeled galaxies that examine where the pool is small."""


@dataclass(frozen=True)
class Sky:
    """A split of a pool's known labels under one seed, by galaxy."""

    pool: NDArray[np.int64]
    """Rows that may be asked, by random key: every prefix is a random sample."""

    test: NDArray[np.int64]
    """Rows that examine."""

    random_keys: NDArray[np.int64]
    """`N` random keys of all objects of the pool."""


def known_targets(arrays: PoolArrays) -> NDArray[np.bool_]:
    """`N` flags of objects with a known label of at least one target."""
    return np.asarray(np.isfinite(arrays.known_values).any(axis=1))


def draw_sky(
    arrays: PoolArrays, *, seed: int, test_size: int, labels_needed: int
) -> Sky:
    """Split the objects with known labels by galaxy.

    Args:
        arrays: the pool.
        seed: of the replayed campaign; the same for every strategy.
        test_size: objects that examine, where the pool allows: at most 40 % of it.
        labels_needed: how many labels a campaign will ask for.

    Raises:
        InvalidInput: The pool knows too few labels.
    """
    rows = np.flatnonzero(known_targets(arrays))
    keys = np.fromiter(
        (
            random_key(derived_seed(seed, "replay"), object_id)
            for object_id in arrays.object_ids.tolist()
        ),
        dtype=np.int64,
        count=arrays.n_objects,
    )
    groups, member = np.unique(arrays.group_ids[rows], return_inverse=True)
    generator = np.random.default_rng(derived_seed(seed, "replay test"))
    place = generator.permutation(len(groups))[member]
    by_place = np.argsort(place, kind="stable")
    most = min(test_size, int(_LARGEST_TEST_SHARE * len(rows)))
    last = place[by_place[most - 1]] if most else -1
    examines = place <= last
    pool, test = rows[~examines], rows[examines]
    _check(len(groups) - int(last) - 1, len(test), labels_needed)
    order = np.lexsort((arrays.object_ids[pool], keys[pool]))
    return Sky(pool=pool[order], test=test, random_keys=keys)


def _check(galaxies: int, examining: int, labels_needed: int) -> None:
    if examining == 0:
        raise InvalidInput("expected a pool with known labels to replay, found none")
    if galaxies < labels_needed:
        raise InvalidInput(
            f"expected at least {labels_needed} galaxies with known labels beside the "
            f"{examining} objects that examine (initial + batch x rounds), "
            f"found {galaxies}: ask for fewer rounds or smaller batches"
        )
