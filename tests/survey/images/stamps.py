"""Stamps of noise, and frames of a field with stars at known places."""

from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
from numpy.typing import NDArray

from al_service.survey.images.stamp import PIXEL_ARCSEC
from al_service.survey.photometry_columns import BANDS

STAR_SIGMA = 1.6
"""Pixels: a seeing of 1.5 arcseconds."""

HEIGHT, WIDTH = 300, 400


def stamps(n: int) -> NDArray[np.float32]:
    """`N x 5 x 64 x 64` nanomaggies of noise."""
    noise = np.random.default_rng(n).normal(0.0, 0.03, (n, len(BANDS), 64, 64))
    return noise.astype(np.float32)


def frame_wcs(ra: float, dec: float, *, turned: float, shift: float) -> WCS:
    """A frame around a position, turned as SDSS's scans are, bands a little shifted."""
    angle, scale = np.radians(turned), PIXEL_ARCSEC / 3600.0
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [ra, dec]
    wcs.wcs.crpix = [WIDTH / 2 + shift, HEIGHT / 2 - shift]
    wcs.wcs.cd = scale * np.array(
        [[-np.cos(angle), np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    )
    return wcs


def write_field(
    folder: Path,
    *,
    ra: float,
    dec: float,
    stars: list[tuple[float, float, float]] = [],  # noqa: B006 -- read only
    turned: float = 30.0,
) -> None:
    """Five frames of a field.

    Args:
        folder: gets `frame-*-000094-1-0011.fits`.
        ra: center, degrees.
        dec: center, degrees.
        stars: right ascension, declination and flux in r; band b has (b + 1) times
            the flux of u.
        turned: angle of the frame on the sky, degrees.
    """
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    for place, band in enumerate(BANDS):
        wcs = frame_wcs(ra, dec, turned=turned, shift=2.3 * place)
        noise = np.random.default_rng(place).normal(0, 1e-5, (HEIGHT, WIDTH))
        pixels = noise
        for star_ra, star_dec, flux in stars:
            x, y = wcs.wcs_world2pix(star_ra, star_dec, 0)
            squared = ((columns - x) ** 2 + (rows - y) ** 2) / STAR_SIGMA**2
            profile = np.exp(-0.5 * squared) / (2 * np.pi * STAR_SIGMA**2)
            pixels = pixels + flux * (place + 1) * profile
        header = wcs.to_header()
        header["BUNIT"] = "nanomaggy"
        fits.PrimaryHDU(pixels.astype(np.float32), header).writeto(
            folder / f"frame-{band}-000094-1-0011.fits"
        )
