"""Which galaxies teach, which tune and which examine: shared by all systems."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from al_service.errors import InvalidInput
from al_service.randomness import derived_seed
from al_service.studies.experiment.settings import LEAST, ExperimentSettings
from al_service.studies.sky import known_targets
from al_service.survey.pool_arrays import PoolArrays


@dataclass(frozen=True)
class Division:
    """Rows of a pool on three sides; no galaxy is on two of them."""

    training: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]


def divide(
    arrays: PoolArrays,
    settings: ExperimentSettings,
    *,
    seed: int,
    examines: NDArray[np.bool_] | None = None,
) -> Division:
    """Divide the labeled objects of a pool by galaxy.

    Those that tune and examine have every modality of the pool, so that all systems
    are compared on the same objects; what happens without a modality is seen by hiding
    it. Training objects may lack some.

    Args:
        arrays: the pool.
        settings: how many objects on each side.
        seed: of the division.
        examines: `N` flags of the objects that a published split examines on: all of
            them do; without, they are drawn.

    Raises:
        InvalidInput: the pool has too few labeled galaxies.
    """
    rows = np.flatnonzero(known_targets(arrays))
    flags = [arrays.flags[name] for name in arrays.modalities]
    complete = np.all(flags, axis=0)[rows]
    place = _shuffled(arrays.group_ids[rows], seed)
    free = np.ones(len(rows), dtype=np.bool_)
    if examines is None:
        share = min(1.0, len(rows) / (_taught(settings) + settings.n_test))
        test = _side(place, complete, round(share * settings.n_test))
    else:
        fixed = examines[rows]
        test = _side(place, complete & fixed, len(rows))
        free &= ~fixed
        share = min(1.0, free.sum() / _taught(settings))
    free &= ~np.isin(place, place[test])
    validation = _side(place, free & complete, round(share * settings.n_validation))
    free &= ~np.isin(place, place[validation])
    training = _side(place, free, settings.n_train)
    sides = Division(rows[training], rows[validation], rows[test])
    return _checked(sides, settings, complete)


def _checked(
    sides: Division, settings: ExperimentSettings, complete: NDArray[np.bool_]
) -> Division:
    for name, side in vars(sides).items():
        if len(side) < LEAST:
            raise InvalidInput(
                f"{name}: expected at least {LEAST} labeled objects, found "
                f"{len(side)}: of {len(complete)} in the pool, {complete.sum()} with "
                f"every modality, {settings.n_train} were to train (--train), "
                f"{settings.n_validation} to validate, {settings.n_test} to examine "
                f"(--test); a smaller pool is divided in these proportions"
            )
    return sides


def _taught(settings: ExperimentSettings) -> int:
    return settings.n_train + settings.n_validation


def _shuffled(group_ids: NDArray[np.str_], seed: int) -> NDArray[np.int64]:
    """`N` places of the galaxies in a random order."""
    groups, member = np.unique(group_ids, return_inverse=True)
    generator = np.random.default_rng(derived_seed(seed, "experiment"))
    return np.asarray(generator.permutation(len(groups))[member], dtype=np.int64)


def _side(
    place: NDArray[np.int64], allowed: NDArray[np.bool_], size: int
) -> NDArray[np.int64]:
    """The first `size` allowed objects in the order of their galaxies."""
    chosen = np.flatnonzero(allowed)
    return chosen[np.argsort(place[chosen], kind="stable")][:size]
