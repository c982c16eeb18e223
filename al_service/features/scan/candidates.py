"""From gains at all redshifts to a short list of distinct redshifts."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.features.scan.templates import SpectralClass, TemplateSet

N_CANDIDATES: Final = 5
"""What an inspector looks through; DESI's visual inspection shows as many."""

DISTINCT: Final = 0.005
"""|dz| / (1 + z) beyond which two redshifts are two answers: 1500 km/s."""

DISTINCT_QUASAR: Final = 0.010
"""The same for quasars, whose lines are that broad and shifted among themselves."""

Z_ERROR_FLOOR: Final = 6e-5
"""Of galaxies and stars, in z / (1 + z): 18 km/s, a quarter of a pixel, for calibration
of wavelengths and for what templates lack."""

Z_ERROR_FLOOR_QUASAR: Final = 2e-3
"""Broad lines are shifted against each other by some 600 km/s (Vanden Berk et al. 2001)
and templates do not know by how much."""


@dataclass(frozen=True)
class Candidate:
    """One possible redshift of a spectrum."""

    z: float
    variance: float
    """Of z, from the curvature of chi^2."""
    spectral_class: SpectralClass
    gain: float
    """Fall of chi^2."""
    score: float
    """Gain less half of the number of templates: what noise gives as well, since every
    positive template fits it half of the time."""


def peaks(templates: TemplateSet, gain: NDArray[np.float32]) -> list[Candidate]:
    """The highest separate maxima of one class, best first.

    Args:
        templates: of the class.
        gain: `S`, of one spectrum.
    """
    is_quasar = templates.spectral_class is SpectralClass.QSO
    apart = DISTINCT_QUASAR if is_quasar else DISTINCT
    reach = max(1, round(float(np.log10(1.0 + apart)) / templates.step))
    left = gain.astype(np.float64)
    found = []
    for _ in range(N_CANDIDATES):
        shift = int(np.argmax(left))
        if left[shift] <= 0:
            break
        found.append(_candidate(templates, gain, shift))
        left[max(shift - reach, 0) : shift + reach + 1] = 0.0
    return found


def distinct(candidates: list[Candidate]) -> list[Candidate]:
    """Of the candidates at each redshift the best; at most five, best first."""
    kept: list[Candidate] = []
    for candidate in sorted(candidates, key=lambda c: -c.score):
        if len(kept) < N_CANDIDATES and not any(same(candidate, k) for k in kept):
            kept.append(candidate)
    return kept


def same(one: Candidate, other: Candidate) -> bool:
    """Whether two candidates say the same redshift."""
    quasar = SpectralClass.QSO in (one.spectral_class, other.spectral_class)
    apart = DISTINCT_QUASAR if quasar else DISTINCT
    return abs(one.z - other.z) / (1.0 + one.z) < apart


def _candidate(
    templates: TemplateSet, gain: NDArray[np.float32], shift: int
) -> Candidate:
    offset, curvature = _parabola(gain, shift)
    z = float(templates.redshift(np.array(shift + offset)))
    is_quasar = templates.spectral_class is SpectralClass.QSO
    floor = Z_ERROR_FLOOR_QUASAR if is_quasar else Z_ERROR_FLOOR
    pixel = np.log(10.0) * templates.step  # dz / (1 + z) of a pixel
    # Where chi^2 has no proper minimum, z is known to a few pixels at best.
    variance = 2.0 / curvature if curvature > 0.1 else 20.0
    return Candidate(
        z,
        (1.0 + z) ** 2 * (variance * pixel**2 + floor**2),
        templates.spectral_class,
        float(gain[shift]),
        float(gain[shift]) - 0.5 * len(templates.flux),
    )


def _parabola(gain: NDArray[np.float32], shift: int) -> tuple[float, float]:
    """Where a maximum is between pixels, and minus its second derivative there.

    The parabola goes through logarithms: lines are hardly wider than a pixel here, and
    the gain of a Gaussian line is a Gaussian of the shift.
    """
    if not 0 < shift < len(gain) - 1:
        return 0.0, 0.0
    height = float(gain[shift])
    ends = np.maximum(gain[[shift - 1, shift + 1]] / height, 1e-3)
    below, above = np.log(ends).tolist()
    if below + above >= 0.0:
        return 0.0, 0.0
    offset = 0.5 * (below - above) / (below + above)
    return float(np.clip(offset, -0.5, 0.5)), -height * (below + above)
