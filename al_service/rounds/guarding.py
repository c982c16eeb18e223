"""What a strategy's guards look at: signal, color, class and flags of the objects."""

import numpy as np
from numpy.typing import NDArray

from al_service.acquisition.guards import strata_of
from al_service.acquisition.quality import (
    OF_THE_SCAN,
    QuotaBy,
    Scanned,
    class_strata,
    color_strata,
    doubtful,
)
from al_service.features.photometry import signal_to_noise
from al_service.features.pool_scan import scan_pool
from al_service.features.preparation import SPECTRUM
from al_service.rounds.terms import Terms


def held_back(terms: Terms, rows: NDArray[np.int64]) -> NDArray[np.bool_] | None:
    """The objects that a flag of the strategy is raised for.

    Args:
        terms: of an order.
        rows: `N` rows in the pool's arrays.

    Returns:
        `N` flags; None where the strategy names no flag.
    """
    wanted = terms.strategy.hold_back
    if not wanted:
        return None
    scanned = _scanned(terms, rows) if OF_THE_SCAN & set(wanted) else None
    return doubtful(wanted, _photometry(terms)[rows], scanned)


def strata_of_rows(
    terms: Terms, rows: NDArray[np.int64], *, pool_rows: NDArray[np.int64]
) -> NDArray[np.int64] | None:
    """The strata that the strategy's quota holds for.

    Args:
        terms: of an order.
        rows: `N` rows in the pool's arrays.
        pool_rows: of all objects that may be or were asked for: tenths are theirs.

    Returns:
        `N` strata, -1 for none; None without a quota.
    """
    strategy = terms.strategy
    if strategy.quota >= 1.0:
        return None
    if strategy.quota_by is QuotaBy.CLASS:
        return class_strata(_scanned(terms, rows))
    if strategy.quota_by is QuotaBy.COLOR:
        return color_strata(_photometry(terms)[rows])
    ratio = signal_to_noise(_photometry(terms))
    of_pool = np.full(len(ratio), np.nan)
    of_pool[pool_rows] = ratio[pool_rows]
    return strata_of(of_pool)[rows]


def _photometry(terms: Terms) -> NDArray[np.float32]:
    """`N x P` of the whole pool: 100 MB for a million objects."""
    return np.concatenate(
        [
            inputs.photometry
            for _, inputs in terms.arrays.chunks(terms.chunk, modalities=())
        ]
    )


def _scanned(terms: Terms, rows: NDArray[np.int64]) -> Scanned:
    """What the scan says of some objects; spectra that were not scanned are, now."""
    arrays = terms.arrays
    has = arrays.flags.get(SPECTRUM, np.zeros(len(arrays), dtype=np.bool_))
    found = scan_pool(arrays, terms.scans, processes=1, should_stop=terms.should_stop)
    return Scanned(has[rows], found.confidence[rows], found.spectral_class[rows])
