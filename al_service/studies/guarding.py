"""What the guards of a replay look at: photometry. What needs a scan is refused."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from al_service.acquisition.config import StrategyConfig
from al_service.acquisition.guards import strata_of
from al_service.acquisition.quality import (
    QuotaBy,
    class_strata,
    color_strata,
    doubtful,
)
from al_service.features.photometry import signal_to_noise
from al_service.survey.pool_view import PoolView


def held_back(
    strategy: StrategyConfig, view: PoolView, rows: NDArray[np.int64]
) -> NDArray[np.bool_] | None:
    """The objects that a flag of the strategy is raised for; None without flags.

    Args:
        strategy: with its flags.
        view: the pool, as the campaign meets it.
        rows: `N` rows of it.
    """
    if not strategy.hold_back:
        return None
    return doubtful(strategy.hold_back, _photometry(view, rows), None)


def strata_of_rows(
    strategy: StrategyConfig,
    view: PoolView,
    rows: NDArray[np.int64],
    *,
    pool_rows: NDArray[np.int64],
) -> NDArray[np.int64] | None:
    """The strata that the strategy's quota holds for; None without a quota.

    Args:
        strategy: with its quota.
        view: the pool, as the campaign meets it.
        rows: `N` rows of it.
        pool_rows: of all objects that may be asked for: tenths are theirs.
    """
    if strategy.quota >= 1.0:
        return None
    if strategy.quota_by is QuotaBy.CLASS:
        return class_strata(None)
    pool = np.sort(pool_rows)
    photometry = _photometry(view, pool)
    found = np.full(view.arrays.n_objects, -1, dtype=np.int64)
    found[pool] = (
        color_strata(photometry)
        if strategy.quota_by is QuotaBy.COLOR
        else strata_of(signal_to_noise(photometry))
    )
    return found[rows]


def _photometry(view: PoolView, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """`N x P` of some rows of the pool; pixels stay on disk."""
    bare = replace(view.of(rows), modalities=frozenset())
    return bare.take(slice(None)).photometry
