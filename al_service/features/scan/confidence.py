"""How likely the best candidate is right, from its lead over the second.

The maps come from simulated spectra that are unlike the templates:
`python -m al_service.studies.scan_calibration` measures and prints them.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from al_service.features.scan.templates import SpectralClass

_NOISE: Final = 5.0
"""By which two gains differ through noise alone: highest of some thousand shifts."""

_MISMATCH: Final = 0.1
"""Share of a gain that may be owed to what the templates lack, in bright spectra."""

LEADS: Final[Mapping[SpectralClass, tuple[float, ...]]] = {
    SpectralClass.GALAXY: (
        0.000,
        0.011,
        0.092,
        0.116,
        0.205,
        0.240,
        0.274,
        0.392,
        0.433,
        0.495,
        0.562,
        0.638,
        0.741,
        0.857,
        1.052,
        1.240,
        1.520,
        1.875,
        2.271,
        2.773,
        39.236,
    ),
    SpectralClass.QSO: (
        0.000,
        0.076,
        0.211,
        0.369,
        0.565,
        0.848,
        1.197,
        1.763,
        2.319,
        2.865,
        3.435,
        4.291,
        5.247,
        6.540,
        13.096,
    ),
    SpectralClass.STAR: (0.000, 0.520, 2.404, 6.215, 69.706),
}
"""Values of the lead, by class of the best candidate."""

RIGHT: Final[Mapping[SpectralClass, tuple[float, ...]]] = {
    SpectralClass.GALAXY: (
        0.080,
        0.080,
        0.080,
        0.088,
        0.088,
        0.098,
        0.125,
        0.125,
        0.140,
        0.140,
        0.220,
        0.220,
        0.354,
        0.354,
        0.402,
        0.512,
        0.683,
        0.841,
        0.939,
        0.988,
        0.988,
    ),
    SpectralClass.QSO: (
        0.151,
        0.151,
        0.256,
        0.395,
        0.453,
        0.610,
        0.610,
        0.837,
        0.907,
        0.919,
        0.965,
        0.977,
        0.977,
        0.988,
        0.988,
    ),
    SpectralClass.STAR: (0.500, 0.759, 0.977, 0.988, 0.988),
}
"""Shares of right redshifts at these leads."""


def lead_over(
    best: NDArray[np.float64], second: NDArray[np.float64]
) -> NDArray[np.float64]:
    """What the confidence depends on, `N`: larger is surer.

    Args:
        best: `N` scores of the best candidates.
        second: `N` scores of the best ones at another redshift.
    """
    return np.asarray((best - second) / (_NOISE + _MISMATCH * second))


def confidence(
    lead: NDArray[np.float64],
    spectral_class: NDArray[Any],  # Any: text of any width
) -> NDArray[np.float64]:
    """Probability that the best candidate's redshift is right, `N`.

    Args:
        lead: `N`, of `lead_over`.
        spectral_class: `N` classes of the best candidates; empty without a candidate.

    Returns:
        `N`, 0 without a candidate.
    """
    sure = np.zeros(len(lead))
    for name in SpectralClass:
        of_class = spectral_class == name.value
        sure[of_class] = np.interp(lead[of_class], LEADS[name], RIGHT[name])
    return sure
