"""The columns of a pool's photometry array.

Fluxes are in nanomaggies (AB zero point 22.5 mag) as measured, not corrected for
extinction; errors are standard deviations in the same unit; extinction is in
magnitudes. A missing measurement is NaN in the flux and in its error.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

BANDS: Final[tuple[str, ...]] = ("u", "g", "r", "i", "z")

MODEL_FLUX: Final = slice(0, 5)
MODEL_FLUX_ERROR: Final = slice(5, 10)
PETRO_FLUX: Final = slice(10, 15)
PETRO_FLUX_ERROR: Final = slice(15, 20)
EXTINCTION: Final = slice(20, 25)

PHOTOMETRY_COLUMNS: Final[tuple[str, ...]] = tuple(
    f"{quantity}_{band}"
    for quantity in (
        "model_flux",
        "model_flux_error",
        "petro_flux",
        "petro_flux_error",
        "extinction",
    )
    for band in BANDS
)


def errors_from_ivar(ivar: NDArray[np.floating]) -> NDArray[np.float32]:
    """Standard deviations of fluxes given as inverse variances.

    Args:
        ivar: inverse variances, 1/nanomaggies squared; 0 or less means "ignore".

    Returns:
        The same shape in nanomaggies, NaN where there is no measurement.
    """
    known = ivar > 0
    safe = np.where(known, ivar, 1.0).astype(np.float64)
    return np.where(known, 1.0 / np.sqrt(safe), np.nan).astype(np.float32)
