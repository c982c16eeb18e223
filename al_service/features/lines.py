"""Strengths of lines where the redshift scan says that they are.

The frame is that of the *scanned* redshift, never of the label: the scan needs no
labels, so nothing of the target leaks into these columns.
"""

from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import cumulative_trapezoid

from al_service.survey.spectra.grid import (
    LOGLAM_START,
    LOGLAM_STEP,
    N_PIXELS,
    wavelengths,
)

LINES: Final = (
    ("oxygen_II", 3728.9, 8),
    ("calcium_K", 3934.8, 12),
    ("hydrogen_delta", 4102.9, 6),
    ("hydrogen_gamma", 4341.7, 6),
    ("hydrogen_beta", 4862.7, 6),
    ("oxygen_III", 5008.2, 6),
    ("magnesium_b", 5176.0, 20),
    ("sodium_D", 5894.6, 10),
    ("hydrogen_alpha", 6564.6, 6),
    ("nitrogen_II", 6585.3, 6),
    ("sulfur_II", 6725.5, 12),
)
"""Name, vacuum A, and half the width of the window in pixels of 69 km/s: H alpha and
[N II] are 14 apart."""

SIDEBAND: Final = 40
"""Pixels on either side of a line whose mean is its continuum; the window is left out,
and so are the next `GAP` pixels."""

GAP: Final = 8

BREAK: Final = ((3850.0, 3950.0), (4000.0, 4100.0))
"""A at rest on both sides of the break at 4000 A (Balogh et al. 1999)."""

FLUX_SOFTENING: Final = 5.0
"""1e-17 erg/s/cm2: the error of a line's flux in a typical spectrum."""

WIDTH_SOFTENING: Final = 2.0
"""A of equivalent width: what starlight's own lines leave uncertain."""

HUBBLE: Final = 70.0
OMEGA_MATTER: Final = 0.3
"""A flat universe; another one moves all distances together."""

_LIGHT: Final = 299_792.458
_SMALLEST_REDSHIFT: Final = 1e-3
"""300 km/s: below it a redshift says nothing of the distance."""

SCAN_FEATURES: Final = ("log_one_plus_z", "distance_modulus", "confidence", "break")

LINE_FEATURES: Final[tuple[str, ...]] = (
    *(
        f"{quantity}_{name}"
        for quantity in ("flux", "sn", "width")
        for name, *_ in LINES
    ),
    *SCAN_FEATURES,
)

Floats = NDArray[np.floating[Any]]  # Any: every precision


def line_features(
    flux: Floats, ivar: Floats, redshift: Floats, confidence: Floats
) -> NDArray[np.float64]:
    """Line fluxes, their significance, equivalent widths, distance and break.

    Args:
        flux: `N x L`, 1e-17 erg/s/cm2/A.
        ivar: `N x L`, its inverse variance; 0 for pixels not to be used.
        redshift: `N`, of the scan; NaN where it found none.
        confidence: `N`, probability that it is right.

    Returns:
        `N x F`, the columns of `LINE_FEATURES`; NaN where a line cannot be seen.
    """
    known = np.isfinite(redshift)
    z = np.where(known, redshift, 0.0)
    usable = np.isfinite(flux) & np.isfinite(ivar) & (ivar > 0)
    clean = np.where(usable, flux, 0.0)
    variance = 1.0 / np.where(usable, ivar, 1.0)
    parts = [
        measured_line(clean, variance, usable, wave * (1.0 + z), half)
        for _, wave, half in LINES
    ]
    strength, error, continuum = (
        np.stack(part, axis=1) for part in zip(*parts, strict=True)
    )
    base = np.maximum(np.abs(continuum), 1e-3)
    columns = np.column_stack(
        [
            np.arcsinh(strength / FLUX_SOFTENING),
            np.arcsinh(strength / error),
            np.arcsinh(strength / base / (1.0 + z)[:, None] / WIDTH_SOFTENING),
            np.log1p(z),
            distance_modulus(z),
            confidence,
            _break(clean, usable, z),
        ]
    )
    columns[~known] = np.nan
    columns[:, LINE_FEATURES.index("confidence")] = np.nan_to_num(confidence)
    return columns


def measured_line(
    flux: Floats,
    variance: Floats,
    usable: NDArray[np.bool_],
    wavelength: NDArray[np.float64],
    half: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Flux above the continuum in a window.

    Args:
        flux: `N x L`, 0 where not usable.
        variance: `N x L`.
        usable: `N x L`.
        wavelength: `N` observed A of the line's center.
        half: half the width of the window in pixels.

    Returns:
        Flux in 1e-17 erg/s/cm2, its standard deviation, and the continuum per A; NaN
        where less than two thirds of the window or of the sidebands are usable.
    """
    steps = (np.log10(wavelength) - LOGLAM_START) / LOGLAM_STEP
    center = np.rint(steps).astype(np.int64)
    reach = half + GAP + SIDEBAND
    offsets = np.arange(-reach, reach + 1)
    at = center[:, None] + offsets
    inside = (at >= 0) & (at < N_PIXELS)
    at = np.clip(at, 0, N_PIXELS - 1)
    rows = np.arange(len(flux))[:, None]
    good = usable[rows, at] & inside
    values, spread = flux[rows, at], variance[rows, at]
    window = good & (np.abs(offsets) <= half)
    sides = good & (np.abs(offsets) > half + GAP)
    n_window, n_sides = window.sum(axis=1), sides.sum(axis=1)
    continuum = (values * sides).sum(axis=1) / np.maximum(n_sides, 1)
    width = 2 * half + 1
    # Pixels that are missing are taken to be like those that are there.
    pixel = wavelength * np.log(10.0) * LOGLAM_STEP * width / np.maximum(n_window, 1)
    total = ((values - continuum[:, None]) * window).sum(axis=1) * pixel
    error = np.sqrt((spread * window).sum(axis=1)) * pixel
    seen = (3 * n_window >= 2 * width) & (3 * n_sides >= 2 * 2 * SIDEBAND)
    unseen = np.where(seen, 1.0, np.nan)
    return total * unseen, np.maximum(error, 1e-6) * unseen, continuum * unseen


def distance_modulus(redshift: Floats) -> NDArray[np.float64]:
    """Magnitudes by which distance dims an object, in a flat universe."""
    grid, modulus = _distance_table()
    safe = np.maximum(redshift, _SMALLEST_REDSHIFT)
    return np.asarray(np.interp(np.log(safe), grid, modulus))


@cache
def _distance_table() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Logarithm of z, and the distance modulus."""
    z = np.r_[0.0, np.geomspace(_SMALLEST_REDSHIFT / 10.0, 10.0, 4000)]
    expansion = np.sqrt(OMEGA_MATTER * (1.0 + z) ** 3 + 1.0 - OMEGA_MATTER)
    comoving = _LIGHT / HUBBLE * cumulative_trapezoid(1.0 / expansion, z, initial=0)
    modulus = 5.0 * np.log10(comoving[1:] * (1.0 + z[1:])) + 25.0
    return np.log(z[1:]), modulus


def _break(
    flux: Floats, usable: NDArray[np.bool_], z: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Logarithm of the ratio of the fluxes red and blue of 4000 A; NaN where unseen."""
    rest = wavelengths()[None] / (1.0 + z)[:, None]
    means = []
    for low, high in BREAK:
        inside = usable & (rest >= low) & (rest < high)
        count = inside.sum(axis=1)
        mean = (flux * inside).sum(axis=1) / np.maximum(count, 1)
        means.append(np.where((count >= 50) & (mean > 0), mean, np.nan))
    blue, red = means
    return np.asarray(np.clip(np.log(red / blue), -3.0, 3.0))
