"""The common log-wavelength grid, and how a survey's pixels land on it.

    loglam_i = 3.5530 + 1e-4 i,  i = 0 ... 4619,  3572.7 to 10349.0 A, vacuum.

Every coadded SDSS spectrum steps by 1e-4 in log10(wavelength) and starts at a
multiple of that step, another one for every fiber. So a spectrum is moved by whole
pixels and never interpolated: interpolation would correlate the noise of neighbors.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

LOGLAM_START: Final = 3.5530
"""log10 of the first pixel's wavelength in A: the blue end of BOSS."""

LOGLAM_STEP: Final = 1e-4
"""69 km/s per pixel, the sampling of every SDSS coadd."""

N_PIXELS: Final = 4620
"""`L`: up to the red end of BOSS; SDSS-I fills pixels 250 to 4110 of them."""

_HALF_A_PIXEL: Final = 0.5
"""Further off than this, a pixel belongs to its neighbor: not our grid."""


def wavelengths() -> NDArray[np.float64]:
    """`L` vacuum wavelengths of the grid in A."""
    return np.asarray(10.0 ** (LOGLAM_START + LOGLAM_STEP * np.arange(N_PIXELS)))


def first_pixel(loglam: NDArray[np.floating[Any]]) -> int:
    """Where a spectrum's first pixel stands on the grid; negative when bluer.

    Args:
        loglam: `M` log10 wavelengths in A, as float32 as the files have them.

    Raises:
        ValueError: The pixels do not step by 1e-4, or none lies on the grid.
    """
    steps = (np.asarray(loglam, dtype=np.float64) - LOGLAM_START) / LOGLAM_STEP
    if not np.isfinite(steps).all():
        raise ValueError("loglam is not finite")
    ramp = np.arange(len(steps))
    first = round(float(np.mean(steps - ramp)))
    drift = float(np.max(np.abs(steps - ramp - first)))
    if drift > _HALF_A_PIXEL:
        raise ValueError(
            f"expected loglam in steps of {LOGLAM_STEP:g}, found {len(steps)} pixels "
            f"from {loglam[0]:.4f} to {loglam[-1]:.4f}: up to {drift:.1f} pixels off"
        )
    if first + len(steps) <= 0 or first >= N_PIXELS:
        raise ValueError(
            f"expected pixels between loglam {LOGLAM_START} and "
            f"{LOGLAM_START + LOGLAM_STEP * (N_PIXELS - 1):.4f}, "
            f"found {loglam[0]:.4f} to {loglam[-1]:.4f}"
        )
    return first


def on_grid(values: NDArray[Any], first: int) -> NDArray[Any]:
    """Copy `M` pixels to the grid; zero where the spectrograph saw nothing.

    Args:
        values: `M` of any type; pixels that stick out of the grid are cut off.
        first: of `first_pixel`.

    Returns:
        `L` values of the same type, in the machine's byte order.
    """
    placed = np.zeros(N_PIXELS, dtype=values.dtype.newbyteorder("="))
    begin, end = max(first, 0), min(first + len(values), N_PIXELS)
    placed[begin:end] = values[begin - first : end - first]
    return placed
