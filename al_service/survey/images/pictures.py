"""Stamps as pictures for people: three bands in color, or one in gray."""

import io
from typing import Final

import numpy as np
from astropy.visualization import AsinhStretch, make_lupton_rgb
from numpy.typing import NDArray
from PIL import Image

from al_service.survey.photometry_columns import BANDS

PICTURE_VERSION: Final = 1
"""Raised whenever the same stamp is drawn in another way: caches hold pictures."""

COLOR_BANDS: Final = ("i", "r", "g")
"""Of the channels red, green and blue, as in the pictures of SDSS."""

BALANCE: Final = (0.7, 1.0, 1.6)
"""Factors of the three: a galaxy of the Sun's colors is nearly white."""

SKY_SHARE: Final = 0.1
"""Below the sky's level by so much of the stretch a pixel is black."""

STRETCH: Final = 0.18
"""Nanomaggies per pixel up to which the color picture is nearly linear: seven times the
noise of SDSS in r."""

SOFTENING: Final = 8.0
"""Q of Lupton et al. 2004 (PASP 116, 133): larger ones show more of what is faint."""

GRAY_SOFTENING: Final = 0.1
"""Where the gray stretch turns from linear to logarithmic, as a share of its range."""

NOISE_BELOW: Final = 1.0
"""Black is so many deviations of the sky below it."""

FAINTEST_RANGE: Final = 15.0
"""White is at least so many deviations above the sky: a stamp of mere noise is dark."""

BRIGHTEST_SHARE: Final = 99.7
"""Percentile of a band's pixels that is white: one hot pixel darkens no picture."""


def color_picture(stamp: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A color composite of g, r and i, north up and east left (Lupton et al. 2004).

    The stretch is the same for all stamps: what is brighter looks brighter.

    Args:
        stamp: `B x H x W` nanomaggies; the first row is the southernmost.

    Returns:
        `H x W x 3`; the first row is the northernmost.
    """
    channels = [
        factor * (stamp[BANDS.index(band)] - _sky(stamp[BANDS.index(band)])[0])
        for band, factor in zip(COLOR_BANDS, BALANCE, strict=True)
    ]
    picture = make_lupton_rgb(
        *channels, minimum=-SKY_SHARE * STRETCH, stretch=STRETCH, Q=SOFTENING
    )
    return np.asarray(picture[::-1], dtype=np.uint8)


def band_picture(stamp: NDArray[np.float32], band: str) -> NDArray[np.uint8]:
    """One band in gray, from its own noise to its own brightest pixels.

    Args:
        stamp: `B x H x W` nanomaggies; the first row is the southernmost.
        band: one of u, g, r, i and z.

    Returns:
        `H x W`; the first row is the northernmost.
    """
    plane = stamp[BANDS.index(band)].astype(np.float64)
    sky, noise = _sky(plane)
    low = sky - NOISE_BELOW * noise
    brightest = float(np.percentile(plane, BRIGHTEST_SHARE))
    high = max(brightest, sky + FAINTEST_RANGE * noise)
    share = np.clip((plane - low) / max(high - low, 1e-12), 0.0, 1.0)
    gray = AsinhStretch(GRAY_SOFTENING)(share)
    return np.asarray(np.rint(255.0 * gray[::-1]), dtype=np.uint8)


def write_png(picture: NDArray[np.uint8], size: int) -> bytes:
    """A picture as a PNG of `size` times `size` pixels.

    Enlarged by whole pixels that stay squares where that fits: what was measured is
    seen, and nothing is made up.

    Args:
        picture: `H x W` or `H x W x 3`.
        size: pixels a side.
    """
    drawn = Image.fromarray(picture)
    if size != drawn.width:
        whole = size % drawn.width == 0
        drawn = drawn.resize(
            (size, size),
            Image.Resampling.NEAREST if whole else Image.Resampling.LANCZOS,
        )
    written = io.BytesIO()
    drawn.save(written, format="PNG", optimize=False)
    return written.getvalue()


def _sky(plane: NDArray[np.floating]) -> tuple[float, float]:
    """Level and deviation of the sky, by medians that a galaxy hardly moves."""
    middle = float(np.median(plane))
    below = plane[plane <= middle]  # a galaxy is above
    return middle, 1.4826 * float(np.median(np.abs(below - middle)))
