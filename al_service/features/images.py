"""Cutouts become pixels that a network can see, and fluxes in apertures.

Nothing is normalized by the object itself: that would destroy magnitudes, and with
them redshifts and star-formation rates. The asinh stretch (Lupton, Gunn & Szalay 1999)
is one fixed function of the flux per band.
"""

from functools import cache
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from al_service.features.stretch import asinh
from al_service.survey.images.stamp import SIDE
from al_service.survey.magnitudes import luptitude
from al_service.survey.photometry_columns import BANDS

SKY_NOISE: Final = np.array([0.044, 0.016, 0.029, 0.051, 0.251])
"""Noise per pixel of SDSS frames in ugriz, nanomaggies."""

STRETCH: Final = 2.5 * SKY_NOISE
"""Where the stretch turns from linear to logarithmic: noise stays linear, and a galaxy
keeps its center."""

RADII: Final = (2.0, 3.8, 6.0, 10.0, 16.0, 24.0)
"""Of the apertures in pixels: 0.8 to 9.5 arcsec; the second is the fiber of SDSS-I."""

_R: Final = BANDS.index("r")

_MOMENT_RADIUS: Final = 4
"""Place among `RADII` of the aperture in which size and shape are measured."""

_NOISE_FLOOR: Final = 1e-3
"""Share of an aperture's flux below which a second moment is noise."""

APERTURE_FEATURES: Final[tuple[str, ...]] = (
    *(f"luptitude_{band}_{radius:g}" for radius in RADII for band in BANDS),
    *(f"color_{a}{b}_{radius:g}" for radius in RADII for a, b in pairwise(BANDS)),
    *(f"growth_{a:g}_{b:g}_{band}" for a, b in pairwise(RADII) for band in "gri"),
    "log_size",
    "elongation_1",
    "elongation_2",
)

Floats = NDArray[np.floating[Any]]  # Any: every precision


def image_pixels(image: Floats, extinction: Floats) -> NDArray[np.float32]:
    """Pixels corrected for extinction and stretched.

    Args:
        image: `N x B x H x W` nanomaggies.
        extinction: `N x B` magnitudes, NaN where unknown: taken as it is.

    Returns:
        The same shape: linear within the noise, logarithmic far above it.
    """
    bright = 10.0 ** (0.4 * np.nan_to_num(extinction)) / STRETCH  # N x B
    return asinh(_known(image) * bright.astype(np.float32)[:, :, None, None])


def aperture_features(image: Floats, extinction: Floats) -> NDArray[np.float64]:
    """Luptitudes and colors in fixed apertures, growth, size and shape.

    A small network finds these sums slowly by itself: handing them to the image's
    branch is worth a fifth of the error of its redshifts.

    Args:
        image: `N x B x H x W` nanomaggies.
        extinction: `N x B` magnitudes, NaN where unknown.

    Returns:
        `N x F`, the columns of `APERTURE_FEATURES`: magnitudes, natural logarithm of
        pixels, and two components of the elongation.
    """
    n = len(image)
    pixels = _known(image).reshape(n, len(BANDS), SIDE**2)
    flux = pixels @ _apertures()  # N x B x K
    flux = flux * 10.0 ** (0.4 * np.nan_to_num(extinction))[:, :, None]
    magnitude = luptitude(flux.transpose(0, 2, 1))  # N x K x B
    color = magnitude[:, :, :-1] - magnitude[:, :, 1:]
    growth = magnitude[:, :-1, 1:4] - magnitude[:, 1:, 1:4]  # g, r, i
    sums = [
        part.reshape(n, part.shape[1] * part.shape[2])
        for part in (magnitude, color, growth)
    ]
    return np.concatenate([*sums, _shape(pixels[:, _R])], axis=1)


def _known(image: Floats) -> Floats:
    """0 where a pixel is NaN; looking for one costs a tenth of replacing all."""
    return image if np.isfinite(image.sum()) else np.nan_to_num(image)


def _shape(pixels: Floats) -> NDArray[np.float64]:
    """Logarithm of the size, and elongation along the axes and along the diagonal."""
    moments = (pixels @ _moments()).astype(np.float64)  # N x 4: 1, xx, yy, xy
    flux = np.maximum(moments[:, 0], 1e-2)
    xx, yy, xy = (moments[:, k] / flux for k in (1, 2, 3))
    size = np.maximum(xx + yy, _NOISE_FLOOR * RADII[_MOMENT_RADIUS] ** 2)
    return np.stack(
        [
            0.5 * np.log(size),
            np.clip((xx - yy) / size, -1.0, 1.0),
            np.clip(2.0 * xy / size, -1.0, 1.0),
        ],
        axis=1,
    )


@cache
def _distances() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Offsets of the pixels from the stamp's center along both axes, `H x W` each."""
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2.0
    return x, y


@cache
def _apertures() -> NDArray[np.float32]:
    """`HW x K` weights of the pixels in the apertures; edges are one pixel soft."""
    radius = np.hypot(*_distances()).reshape(-1, 1)
    return np.clip(np.array(RADII) + 0.5 - radius, 0.0, 1.0).astype(np.float32)


@cache
def _moments() -> NDArray[np.float32]:
    x, y = (offset.reshape(-1) for offset in _distances())
    inside = _apertures()[:, _MOMENT_RADIUS]
    powers = np.stack([np.ones_like(x), x**2, y**2, x * y], axis=1)
    return np.asarray(inside[:, None] * powers, dtype=np.float32)
