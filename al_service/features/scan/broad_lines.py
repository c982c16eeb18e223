"""Galaxy or quasar, where both have the redshift right: are the lines broad?

Narrow lines and starlight are in quasars too. A spectrum is a quasar's when broad
lines, beside everything that a galaxy can have, explain a fair share of it.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.features.scan.correlation import solve_positive
from al_service.features.scan.templates import (
    SpectralClass,
    TemplateSet,
    galaxies_with_broad_lines,
    template_sets,
)
from al_service.survey.spectra.grid import N_PIXELS

BROAD_SHARE: Final = 0.12
"""Of the galaxy's gain. Wings of strong narrow lines, and the weak broad H alpha of a
Seyfert galaxy, add a few percent."""

BROAD_GAIN: Final = 15.0
"""At least this fall of chi^2, so that noise makes no quasars."""


def has_broad_lines(
    residual: NDArray[np.float32], weight: NDArray[np.float32], z: float
) -> bool:
    """Whether broad lines are needed to explain a spectrum at a redshift.

    Args:
        residual: `L`, spectrum less its continuum.
        weight: `L`, inverse variance.
        z: within the range of galaxies.
    """
    (plain,) = (s for s in template_sets() if s.spectral_class is SpectralClass.GALAXY)
    full = galaxies_with_broad_lines()
    matrix, vector = _normal_equations(full, residual, weight, z)
    k = len(plain.flux)
    without = float(solve_positive(matrix[:k, :k].copy(), vector[:k].copy())[0])
    gained = float(solve_positive(matrix, vector)[0]) - without
    return gained > max(BROAD_GAIN, BROAD_SHARE * without)


def _normal_equations(
    templates: TemplateSet,
    residual: NDArray[np.float32],
    weight: NDArray[np.float32],
    z: float,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """`K x K x 1` and `K x 1` at one redshift."""
    shift = round(float(np.log10(1.0 + z)) / templates.step) - templates.first_shift
    start = templates.n_shifts - 1 - min(max(shift, 0), templates.n_shifts - 1)
    width = N_PIXELS // templates.bin_width
    flux = templates.flux[:, start : start + width]
    w = weight.reshape(width, -1).sum(axis=1)
    wr = (weight * residual).reshape(width, -1).sum(axis=1)
    return ((flux * w) @ flux.T)[:, :, None], (flux @ wr)[:, None]
