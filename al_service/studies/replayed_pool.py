"""A pool as replays see it: scanned once, its images and spectra prepared once.

Campaigns replayed side by side, in processes of their own, share both: forty networks
look at the same pixels.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.features.kept_pixels import KeptPixels, KeptView
from al_service.features.pool_scan import scan_pool
from al_service.features.preparation import PIXELS_OF, SPECTRUM
from al_service.models.config import ModelConfig, check_sees_something
from al_service.studies.sky import known_targets
from al_service.survey.pool_arrays import PoolArrays
from al_service.survey.pool_view import PoolView

MOST_PREPARED_BYTES: Final = 8 * 2**30
"""A pool that fills more than this prepared is read and prepared for every network
anew: a laptop has neither the memory nor the disk."""

Stage = Callable[[str, int, int], None]
"""Told what is under way, how much of it is done, and of how much."""


@dataclass(frozen=True)
class ReplayedPool:
    """A pool with known labels, and what was made of it before."""

    path: Path
    """Folder of its arrays."""
    scan: NDArray[np.float64] | None = None
    """`N x 3`, as `Inputs.scan`; None where no network looks at spectra."""
    prepared: Path | None = None
    """Folder of prepared images and spectra; None where they are read every time."""

    def view(self, arrays: PoolArrays, model: ModelConfig) -> PoolView:
        """What a network of one arm may look at.

        Args:
            arrays: the pool, opened.
            model: says which modalities.
        """
        seen = _seen(arrays, model)
        scan = self.scan if SPECTRUM in seen else None
        pixels = None
        if self.prepared is not None and seen & set(PIXELS_OF):
            pixels = KeptPixels(arrays, self.scan, self.prepared)
        return KeptView(arrays, np.arange(len(arrays)), scan, seen, pixels)


def replayed_pool(
    path: Path,
    models: Collection[ModelConfig],
    *,
    scans: Path,
    prepared: Path,
    processes: int,
    on_stage: Stage,
) -> ReplayedPool:
    """Make once what every replay of a pool needs.

    Args:
        path: folder of the pool's arrays.
        models: of all arms.
        scans: folder of the redshift scans of pools; what is there is not done again.
        prepared: folder to be filled.
        processes: how many may work at a time.
        on_stage: told how far it is.

    Raises:
        InvalidInput: an arm may look at nothing that the pool has.
    """
    arrays = PoolArrays.open(path)
    for model in models:
        check_sees_something(model.modalities, arrays.modalities)
    seen = frozenset[str]().union(*(_seen(arrays, model) for model in models))
    scan = None
    if SPECTRUM in seen:
        found = scan_pool(
            arrays,
            scans,
            processes=processes,
            on_progress=lambda done, total: on_stage("scanning spectra", done, total),
        )
        scan = np.stack([found.z, found.z_error, found.confidence], axis=1)
    if not seen & set(PIXELS_OF):
        return ReplayedPool(path)
    pixels = KeptPixels(arrays, scan, prepared)
    if pixels.bytes_an_object(seen) * len(arrays) > MOST_PREPARED_BYTES:
        return ReplayedPool(path, scan)
    pixels.fill(
        np.flatnonzero(known_targets(arrays)),
        seen,
        lambda done, total: on_stage("preparing pixels", done, total),
    )
    return ReplayedPool(path, scan, prepared)


def _seen(arrays: PoolArrays, model: ModelConfig) -> frozenset[str]:
    """What a network may look at, of what the pool has."""
    allowed = arrays.modalities if model.modalities is None else model.modalities
    return frozenset(allowed) & frozenset(arrays.modalities)
