"""What the scan's confidence is worth: measured on simulated spectra, then frozen.

`python -m al_service.studies.scan_calibration` prints what stands in
`al_service/features/scan/confidence.py`. Run it again when templates change.
"""

import sys
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression

from al_service.features.scan.candidates import DISTINCT, DISTINCT_QUASAR
from al_service.features.scan.scanning import ScanResult, scan
from al_service.features.scan.templates import SpectralClass
from al_service.studies.simulated_spectra import SimulatedSpectra, simulate_spectra

N_SPECTRA: Final = 6000
SEED: Final = 20_240_613

PER_KNOT: Final = 80
"""Spectra behind each point of a map, before points of equal height are joined."""

_CAUTION: Final = 1.0
"""A wrong spectrum added to each knot, or the surest would be called certain."""


@dataclass(frozen=True)
class ConfidenceMap:
    """Probability that the first candidate is right, at some values of its lead."""

    leads: NDArray[np.float64]
    right: NDArray[np.float64]


def is_right(result: ScanResult, truth: SimulatedSpectra) -> NDArray[np.bool_]:
    """`N`, whether the first candidate's redshift is that of the object."""
    apart = np.where(truth.spectral_class == "QSO", DISTINCT_QUASAR, DISTINCT)
    with np.errstate(invalid="ignore"):  # NaN where there is no object: wrong
        return np.asarray(np.abs(result.z - truth.z) / (1.0 + truth.z) < apart)


def fit_confidence(
    lead: NDArray[np.float64], right: NDArray[np.bool_], *, per_knot: int = PER_KNOT
) -> ConfidenceMap:
    """The rising map closest to what happened (Zadrozny & Elkan 2002).

    Args:
        lead: `N`, of the first candidate over the second.
        right: `N`.
        per_knot: spectra behind each point of the map.
    """
    order = np.argsort(lead, kind="stable")
    groups = np.array_split(order, max(2, len(order) // per_knot))
    centers = np.array([np.median(lead[group]) for group in groups])
    sizes = np.array([len(group) for group in groups])
    hits = np.array([right[group].sum() for group in groups])
    rate = hits / (sizes + _CAUTION)
    rising = IsotonicRegression(y_min=0.0, y_max=1.0).fit_transform(
        centers, rate, sample_weight=sizes
    )
    corner = np.ones(len(rising), dtype=bool)  # within a flat stretch nothing is told
    corner[1:-1] = (np.diff(rising)[:-1] > 0) | (np.diff(rising)[1:] > 0)
    leads, heights = centers[corner], np.asarray(rising)[corner]
    tie = min(0.5, float(heights[0]))  # of two that are level only one can be right
    return ConfidenceMap(np.r_[0.0, leads], np.r_[tie, heights])


def main() -> None:
    """Print the maps for the scan as it is."""
    truth = simulate_spectra(N_SPECTRA, generator=np.random.default_rng(SEED))
    result = scan(truth.flux, truth.ivar)
    right = is_right(result, truth)
    for name in SpectralClass:
        of_class = result.spectral_class == name.value
        found = fit_confidence(result.lead[of_class], right[of_class])
        for what, values in (("LEADS", found.leads), ("RIGHT", found.right)):
            listed = ", ".join(f"{value:.3f}" for value in values)
            sys.stdout.write(f"{what} SpectralClass.{name}: ({listed}),\n")


if __name__ == "__main__":
    main()
