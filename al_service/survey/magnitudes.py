"""Magnitudes, luptitudes and nanomaggies: one into the other, with their errors.

A nanomaggie is the flux of an object of AB magnitude 22.5. SDSS catalogs print asinh
magnitudes, "luptitudes" (Lupton, Gunn & Szalay 1999): the usual ones for bright
fluxes, finite for fluxes of zero and below. Their softening b differs per band.
"""

from enum import StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

SOFTENING: Final = np.array([0.14, 0.09, 0.12, 0.18, 0.74])
"""SDSS softening parameters b of ugriz in nanomaggies (SDSS "asinh magnitudes")."""

ZERO_POINT: Final = 22.5
"""Magnitude of one nanomaggie."""

_POGSON: Final = 2.5 / np.log(10.0)

Floats = NDArray[np.floating[Any]]  # Any: every precision


class FluxUnit(StrEnum):
    """How a catalog writes how bright an object is."""

    NANOMAGGIES = "nanomaggies"  # linear flux, as DR8 and later store it
    ASINH = "asinh"  # luptitudes with the softening of SDSS, as its catalogs print
    MAGNITUDES = "mag"  # the usual logarithmic ones, AB: no flux below zero


def luptitude(flux: Floats) -> NDArray[np.float64]:
    """Asinh magnitudes: the usual ones for bright fluxes, finite for any.

    Args:
        flux: `N x B` nanomaggies in ugriz.

    Returns:
        `N x B` magnitudes.
    """
    bright = np.arcsinh(flux / (2.0 * SOFTENING)) + np.log(SOFTENING)
    magnitude: NDArray[np.float64] = ZERO_POINT - _POGSON * bright
    return magnitude


def flux_of(values: Floats, unit: FluxUnit) -> NDArray[np.float64]:
    """Fluxes of a catalog's values.

    Args:
        values: `N x B` in `unit`, bands ugriz, NaN where missing.
        unit: what the values are.

    Returns:
        `N x B` nanomaggies.
    """
    given = np.asarray(values, dtype=np.float64)
    if unit is FluxUnit.NANOMAGGIES:
        return given
    logarithm = (ZERO_POINT - given) / _POGSON
    if unit is FluxUnit.MAGNITUDES:
        return np.asarray(np.exp(logarithm))
    return np.asarray(2.0 * SOFTENING * np.sinh(logarithm - np.log(SOFTENING)))


def flux_error_of(errors: Floats, flux: Floats, unit: FluxUnit) -> NDArray[np.float64]:
    """Standard deviations of fluxes, by the derivative of their magnitudes.

    Args:
        errors: `N x B` standard deviations in `unit`.
        flux: `N x B` nanomaggies that belong to them.
        unit: what the errors are.

    Returns:
        `N x B` nanomaggies.
    """
    given = np.asarray(errors, dtype=np.float64)
    if unit is FluxUnit.NANOMAGGIES:
        return given
    # |dm/df| is pogson / f, softened for luptitudes.
    soft = 2.0 * SOFTENING if unit is FluxUnit.ASINH else 0.0
    return np.asarray(given * np.hypot(flux, soft) / _POGSON)
