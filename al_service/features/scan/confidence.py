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
        0.018,
        0.057,
        0.099,
        0.154,
        0.211,
        0.275,
        0.345,
        0.432,
        0.552,
        0.725,
        0.989,
        1.436,
        2.122,
        3.015,
        4.044,
        5.222,
        6.523,
        8.063,
        9.656,
        11.354,
        12.972,
        14.576,
        16.706,
        19.257,
        22.364,
        31.110,
    ),
    SpectralClass.QSO: (0.126, 0.415, 0.930, 1.799, 2.814, 4.170, 5.995, 9.999),
    SpectralClass.STAR: (1.409, 10.190, 27.468, 56.868),
}
"""Values of the lead, by class of the best candidate."""

RIGHT: Final[Mapping[SpectralClass, tuple[float, ...]]] = {
    SpectralClass.GALAXY: (
        0.083,
        0.083,
        0.083,
        0.092,
        0.092,
        0.127,
        0.127,
        0.134,
        0.159,
        0.325,
        0.420,
        0.605,
        0.904,
        0.994,
        0.994,
        0.994,
        0.994,
        0.994,
        0.994,
        0.994,
        0.994,
        0.994,
        0.994,
        0.994,
        0.994,
        0.994,
    ),
    SpectralClass.QSO: (0.186, 0.429, 0.594, 0.800, 0.950, 0.969, 0.994, 0.994),
    SpectralClass.STAR: (0.872, 0.994, 0.994, 0.994),
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
