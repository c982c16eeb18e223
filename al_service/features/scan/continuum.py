"""What is slow in a spectrum is taken out: calibration, dust, power laws.

Data and templates go through the same filter, so that what the filter does to a broad
line it does to both.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from al_service.survey.spectra.grid import wavelengths

SMOOTHING_PIXELS: Final = 601
"""Width of the running mean, applied twice: 0.06 dex, wide enough to leave the break at
4000 A and most of a quasar's broad lines (0.005 to 0.01 dex), narrow enough for a bad
calibration."""

MODEL_ERROR: Final = 0.02
"""Templates are never better than this share of the continuum. Without it the brightest
spectra would be decided by what the templates lack."""

NOISE_BLOCK: Final = 231
"""Pixels over which the noise is compared with its stated errors; 20 blocks fill the
grid. SDSS understates its errors at both ends and between the OH lines."""

SKY_RESIDUALS: Final = ((5571.0, 5587.0), (5884.0, 5904.0), (6297.0, 6307.0))
"""Vacuum A around [O I] 5577 and 6300 and Na I D of the night sky, where the
subtraction of SDSS leaves more than its errors say."""


@dataclass(frozen=True)
class Prepared:
    """Spectra ready to be compared with templates, in units of their typical error."""

    residual: NDArray[np.float32]
    """`N x L`, flux less its continuum, 0 where there is no weight."""
    weight: NDArray[np.float32]
    """`N x L`, inverse variance, of the noise and of the templates together."""
    continuum: NDArray[np.float32]
    """`N x L`."""
    unit: NDArray[np.float64]
    """`N x 1`, the typical error, in the unit of the flux."""


def prepare(
    flux: NDArray[np.floating[Any]], ivar: NDArray[np.floating[Any]]
) -> Prepared:
    """Take the continuum out of spectra.

    Args:
        flux: `N x L`.
        ivar: `N x L`, 0 where a pixel is not to be used.
    """
    usable = np.isfinite(flux) & np.isfinite(ivar) & (ivar > 0) & ~_night_sky()
    weight = np.where(usable, ivar, 0.0)
    unit = _typical_weight(weight)
    weight = weight / unit
    used = np.where(weight > 0, flux, 0.0) * np.sqrt(unit)
    continuum = _running_mean(_running_mean(used, weight), weight)
    residual = np.where(weight > 0, used - continuum, 0.0)
    variance = 1.0 / np.where(weight > 0, weight, 1.0)
    variance *= _understatement(residual, weight) ** 2
    variance += (MODEL_ERROR * continuum) ** 2
    return Prepared(
        residual.astype(np.float32),
        np.where(weight > 0, 1.0 / variance, 0.0).astype(np.float32),
        continuum.astype(np.float32),
        1.0 / np.sqrt(unit),
    )


def without_continuum(templates: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same filter for `K x M` templates, whose pixels all weigh the same."""
    slow = templates
    for _ in range(2):
        slow = uniform_filter1d(slow, SMOOTHING_PIXELS, axis=1, mode="nearest")
    return templates - slow


def _typical_weight(weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Median of the weights there are, `N x 1`: single precision bears no 1e-17."""
    ordered = np.sort(weight, axis=1)
    used = (weight > 0).sum(axis=1, keepdims=True)
    middle = np.take_along_axis(ordered, weight.shape[1] - 1 - used // 2, axis=1)
    return np.where(used > 0, middle, 1.0)


def _understatement(
    residual: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How much larger the noise is than its errors, at least 1, `N x L`.

    Measured by the median absolute difference of neighbors, which lines hardly touch.
    """
    scaled = np.where(weight > 0, residual * np.sqrt(weight), np.nan)
    step = np.abs(np.diff(scaled, axis=1, append=np.nan))
    blocks = np.sort(step.reshape(len(step), -1, NOISE_BLOCK), axis=2)  # NaN goes last
    there = np.isfinite(blocks).sum(axis=2)
    middle = np.take_along_axis(blocks, (there // 2)[:, :, None], axis=2)[:, :, 0]
    # A normal difference has sqrt(2) of the deviation; its median is 0.6745 of that.
    factor = np.where(there > NOISE_BLOCK // 10, middle / (0.6745 * np.sqrt(2.0)), 1.0)
    return np.repeat(np.maximum(factor, 1.0), NOISE_BLOCK, axis=1)


@cache
def _night_sky() -> NDArray[np.bool_]:
    wave = wavelengths()
    near = np.zeros(len(wave), dtype=np.bool_)
    for blue, red in SKY_RESIDUALS:
        near |= (wave > blue) & (wave < red)
    return near


def _running_mean(
    values: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    total = uniform_filter1d(values * weight, SMOOTHING_PIXELS, axis=1, mode="constant")
    norm = uniform_filter1d(weight, SMOOTHING_PIXELS, axis=1, mode="constant")
    # The filter adds and subtracts running sums: what should be 0 is a rounding error.
    floor = 1e-9 * np.max(weight, axis=1, keepdims=True, initial=1e-30)
    return np.where(norm > floor, total / np.maximum(norm, floor), 0.0)
