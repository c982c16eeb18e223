"""Spectra become channels on the observed grid.

A spectrum is divided by its own level in a fixed *observed* window, and the level is
handed on as a number: star-formation rates need it. Nothing here knows a redshift.
"""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from al_service.features.stretch import asinh
from al_service.survey.spectra.grid import wavelengths

CHANNELS: Final = ("lines", "continuum", "signal_to_noise", "mask")
"""What the network sees of every pixel, in this order."""

LEVEL_WINDOW: Final = (5300.0, 5850.0)
"""Observed A in which the level is measured: free of strong sky lines, and within the
reach of every SDSS spectrograph."""

SMOOTHING_PIXELS: Final = 301
"""Width of the running mean that is called the continuum: 0.03 dex."""

LINE_SOFTENING: Final = 0.1
"""Share of the level above which a line counts logarithmically."""

FAINTEST_LEVEL: Final = 0.3
"""In typical errors of a pixel: below it, dividing by the level would only blow up
noise."""

BROAD_BINS: Final = (3850, 4300, 4900, 5500, 6200, 6900, 7700, 8500, 9150)
"""Edges in observed A of the bins in which the flux itself is handed on."""

FLUX_SOFTENING: Final = 0.5
"""1e-17 erg/s/cm2/A: about the error of a bin's mean in the faintest spectra."""

SCALE_FEATURES: Final[tuple[str, ...]] = (
    "log_level",
    "log_signal_to_noise",
    *(f"log_flux_{edge}" for edge in BROAD_BINS[:-1]),
)

Floats = NDArray[np.floating[Any]]  # Any: every precision


@dataclass(frozen=True)
class PreparedSpectra:
    """`N` spectra on one scale."""

    channels: NDArray[np.float32]
    """`N x C x L`, the channels of `CHANNELS`, all 0 where a pixel is not usable."""
    scale: NDArray[np.float64]
    """`N x F`, the columns of `SCALE_FEATURES`: what the division took away."""


def prepare_spectra(flux: Floats, ivar: Floats) -> PreparedSpectra:
    """Lines, continuum, signal to noise and mask of every pixel, and the scale.

    Args:
        flux: `N x L`, 1e-17 erg/s/cm2/A.
        ivar: `N x L`, its inverse variance; 0 for pixels not to be used.
    """
    usable = np.isfinite(flux) & np.isfinite(ivar) & (ivar > 0)
    used = np.where(usable, flux, 0.0).astype(np.float32)
    root = np.sqrt(np.where(usable, ivar, 0.0)).astype(np.float32)
    level, error = _level(used, root, usable)
    scale = np.maximum(level, FAINTEST_LEVEL * error).astype(np.float32)[:, None]
    continuum = running_mean(used, root**2)
    channels = np.stack(
        [
            asinh((used - continuum) / (LINE_SOFTENING * scale)),
            asinh(continuum / scale),
            np.log1p(root * scale),
            np.ones_like(used),
        ],
        axis=1,
    )
    channels *= usable[:, None]
    ratio = np.log(np.maximum(level, 0.0) / error + 0.1)
    columns = [np.arcsinh(level / FLUX_SOFTENING), ratio]
    return PreparedSpectra(
        channels.astype(np.float32, copy=False),
        np.column_stack([*columns, _broad(used, usable)]),
    )


def running_mean(values: Floats, weight: Floats) -> NDArray[np.float32]:
    """Weighted mean over `SMOOTHING_PIXELS`, `N x L`; 0 where nothing has weight."""
    largest = np.max(weight, axis=1, keepdims=True, initial=0.0)
    # One pixel of enormous weight must not be the whole window's mean.
    even = np.minimum(weight, 0.1 * largest).astype(np.float64)
    total = uniform_filter1d(values * even, SMOOTHING_PIXELS, axis=1, mode="constant")
    norm = uniform_filter1d(even, SMOOTHING_PIXELS, axis=1, mode="constant")
    # Running sums leave rounding errors where the weights are 0.
    floor = np.maximum(1e-6 * largest, 1e-30)
    return np.where(norm > floor, total / np.maximum(norm, floor), 0.0).astype(
        np.float32
    )


def _level(
    flux: Floats, root: Floats, usable: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Median flux and median error, `N` each; of all pixels where the window is out."""
    inside = usable & _window(*LEVEL_WINDOW)
    seen = np.where(inside.sum(axis=1, keepdims=True) > 0, inside, usable)
    level, error = np.zeros(len(flux)), np.ones(len(flux))
    for row in np.flatnonzero(seen.any(axis=1)):
        level[row] = np.median(flux[row, seen[row]])
        error[row] = 1.0 / np.median(root[row, seen[row]])
    return level, error


def _broad(flux: Floats, usable: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Mean flux in the bins, asinh-stretched, NaN where no pixel is usable."""
    bins = _bins()
    count = usable.astype(np.float32) @ bins
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(count > 0, flux @ bins / count, np.nan)
    return np.arcsinh(mean / FLUX_SOFTENING)


@cache
def _window(blue: float, red: float) -> NDArray[np.bool_]:
    wave = wavelengths()
    return np.asarray((wave >= blue) & (wave < red))


@cache
def _bins() -> NDArray[np.float32]:
    """`L x K` flags: which bin a pixel belongs to."""
    edges = pairwise(BROAD_BINS)
    bins = np.stack([_window(blue, red) for blue, red in edges], axis=1)
    return bins.astype(np.float32)
