"""How a scan compares with the redshifts and classes that a pipeline found."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.features.scan.candidates import DISTINCT, DISTINCT_QUASAR
from al_service.features.scan.templates import SpectralClass

CONFIDENCES: Final = (0.0, 0.5, 0.8, 0.95, 1.0)
"""Edges of what is compared with the share that is right."""


@dataclass(frozen=True)
class Bin:
    """Spectra of about one confidence."""

    low: float
    high: float
    count: int
    confidence: float
    """Their mean confidence."""
    right: float
    """Share whose redshift agrees: where confidences are honest, about the same."""


@dataclass(frozen=True)
class Agreement:
    """A scan beside a pipeline, for spectra of which both say something."""

    confusion: dict[tuple[str, str], int]
    """Class by the pipeline and by the scan, and how many."""
    median_error: dict[str, float]
    """Class by the pipeline, and the median of |dz| / (1 + z)."""
    largest_error: dict[str, float]
    right: int
    """Redshifts that agree within 0.005 (1 + z), of quasars within 0.01 (1 + z)."""
    count: int
    bins: list[Bin]


def agreement(
    z: NDArray[np.float64],
    spectral_class: NDArray[np.str_],
    confidence: NDArray[np.float64],
    *,
    pipeline_z: NDArray[np.float64],
    pipeline_class: NDArray[np.str_],
) -> Agreement:
    """Compare a scan with a pipeline.

    Args:
        z: `N` redshifts of the scan, NaN where it found none.
        spectral_class: `N` classes of the scan.
        confidence: `N`, that its redshift is right.
        pipeline_z: `N`, NaN where the pipeline says nothing.
        pipeline_class: `N`, empty where the pipeline says nothing.
    """
    both = np.isfinite(z) & np.isfinite(pipeline_z) & (pipeline_class != "")
    truth, said = pipeline_class[both], spectral_class[both]
    error = np.abs(z - pipeline_z)[both] / (1.0 + pipeline_z[both])
    allowed = np.where(truth == SpectralClass.QSO, DISTINCT_QUASAR, DISTINCT)
    right, sure = error < allowed, confidence[both]
    kinds = sorted(set(truth.tolist()))
    pairs = list(zip(truth.tolist(), said.tolist(), strict=True))
    return Agreement(
        confusion={pair: pairs.count(pair) for pair in sorted(set(pairs))},
        median_error={kind: float(np.median(error[truth == kind])) for kind in kinds},
        largest_error={kind: float(error[truth == kind].max()) for kind in kinds},
        right=int(right.sum()),
        count=len(error),
        bins=_bins(sure, right),
    )


def _bins(sure: NDArray[np.float64], right: NDArray[np.bool_]) -> list[Bin]:
    found = []
    for low, high in pairwise(CONFIDENCES):
        some = (sure >= low) & ((sure < high) | (high == CONFIDENCES[-1]))
        if some.any():
            mean, share = float(sure[some].mean()), float(right[some].mean())
            found.append(Bin(low, high, int(some.sum()), mean, share))
    return found
