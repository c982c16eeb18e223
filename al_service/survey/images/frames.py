"""Five calibrated frames of an SDSS field become stamps at given positions.

Data model: https://data.sdss.org/datamodel/files/BOSS_PHOTOOBJ/frames/RERUN/RUN/CAMCOL/frame.html
The first HDU holds 1489 x 2048 pixels in nanomaggies, sky-subtracted, with a TAN
projection. Oddities: the five bands of a field are shifted by a few pixels against
each other, and a field overlaps its neighbors by 128 rows, so that an object near the
edge lies whole in the next field.
"""

import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS, FITSFixedWarning
from astropy.wcs.utils import proj_plane_pixel_area
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates, spline_filter

from al_service.survey.catalogs.fits_table import FITS_TROUBLE
from al_service.survey.catalogs.plain_files import plain_file
from al_service.survey.images.stamp import PIXEL_ARCSEC, SIDE, BadImage
from al_service.survey.photometry_columns import BANDS

FRAME_NAME: Final = re.compile(
    r"frame-(?P<band>[a-z])-(?P<field>\d{6}-\d-\d{4})\.fits(\.(bz2|gz))?"
)

SPLINE_ORDER: Final = 3
"""Cubic splines keep the flux of a star to 1e-3; linear interpolation smears it."""

_REACH: Final = 46.0
"""Pixels from the center that a stamp needs: half the diagonal of 64 x 64."""


@dataclass(frozen=True)
class Frame:
    """One band of a field."""

    path: Path
    coefficients: NDArray[np.float32]
    """`H' x W'` spline coefficients of the pixels in nanomaggies."""
    wcs: WCS
    pixel_area: float
    """Square degrees of a pixel."""


def find_fields(folder: Path) -> dict[str, dict[str, Path]]:
    """Fields below a folder: `run-camcol-field` to band to file, in order."""
    fields: dict[str, dict[str, Path]] = {}
    for path in sorted(folder.rglob("frame-*")):
        named = FRAME_NAME.fullmatch(path.name)
        if named is not None and path.is_file():
            fields.setdefault(named["field"], {})[named["band"]] = path
    return fields


def read_frame(path: Path) -> Frame:
    """One band of a field.

    Raises:
        BadImage: it is no calibrated frame.
    """
    with plain_file(path) as plain:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with fits.open(plain, memmap=False) as hdus:
                    header, data = hdus[0].header, hdus[0].data
        except FITS_TROUBLE as error:
            raise BadImage(path, f"expected a FITS frame: {error}") from error
    if data is None or data.ndim != 2:
        raise BadImage(path, "HDU 0: expected an image of two dimensions")
    unit = str(header.get("BUNIT", "nanomaggy")).strip().lower()
    if not unit.startswith(("nanomagg", "nmgy")):
        raise BadImage(path, f"HDU 0: expected nanomaggies, found {unit}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FITSFixedWarning)
            wcs = WCS(header)
    except FITS_TROUBLE as error:
        raise BadImage(path, f"HDU 0: expected world coordinates: {error}") from error
    if not wcs.has_celestial:
        raise BadImage(path, "HDU 0: expected celestial world coordinates")
    pixels = np.nan_to_num(np.asarray(data, dtype=np.float32))
    return Frame(
        path,
        spline_filter(pixels, SPLINE_ORDER, output=np.float32, mode="mirror"),
        wcs.celestial,
        float(proj_plane_pixel_area(wcs.celestial)),
    )


def cut_field(
    field: dict[str, Path],
    ra: NDArray[np.float64],
    dec: NDArray[np.float64],
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Stamps of the objects that lie whole in a field.

    Args:
        field: band to file.
        ra: `N` ICRS degrees.
        dec: `N` ICRS degrees.

    Yields:
        An object's number and its `B x H x W` nanomaggies.

    Raises:
        BadImage: a band is missing or cannot be read.
    """
    missing = [band for band in BANDS if band not in field]
    if missing:
        first = next(iter(field.values()))
        raise BadImage(
            first.parent,
            f"field {first.name.split('.')[0][8:]}: expected five bands, found no"
            f" {' '.join(missing)}",
        )
    frames = [read_frame(field[band]) for band in BANDS]
    for number in inside(frames[2], ra, dec):
        yield number, cut_stamp(frames, float(ra[number]), float(dec[number]))


def inside(
    frame: Frame, ra: NDArray[np.float64], dec: NDArray[np.float64]
) -> list[int]:
    """Numbers of the positions whose stamps lie whole in a frame."""
    height, width = frame.coefficients.shape
    # The projection has a second solution on the far side of the sky.
    ra0, dec0 = frame.wcs.wcs.crval
    near = _separation(ra, dec, ra0, dec0) < 1.0
    numbers = np.flatnonzero(near)
    if not len(numbers):
        return []
    x, y = frame.wcs.wcs_world2pix(ra[numbers], dec[numbers], 0)
    whole = (x >= _REACH) & (x <= width - 1 - _REACH)
    whole &= (y >= _REACH) & (y <= height - 1 - _REACH)
    return [int(number) for number in numbers[whole]]


def cut_stamp(frames: Sequence[Frame], ra: float, dec: float) -> NDArray[np.float32]:
    """One object in five bands, its center between the four central pixels.

    Every band is resampled to the same tangent plane around the object, north up and
    east left, by cubic splines; pixels keep nanomaggies by the ratio of their areas.

    Returns:
        `B x H x W` nanomaggies.
    """
    target = stamp_wcs(ra, dec)
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    world = target.wcs_pix2world(columns.ravel(), rows.ravel(), 0)
    area = (PIXEL_ARCSEC / 3600.0) ** 2
    planes = []
    for frame in frames:
        x, y = frame.wcs.wcs_world2pix(*world, 0)
        plane = map_coordinates(
            frame.coefficients,
            [y, x],
            order=SPLINE_ORDER,
            prefilter=False,
            mode="mirror",
        )
        planes.append(plane.reshape(SIDE, SIDE) * (area / frame.pixel_area))
    return np.stack(planes).astype(np.float32)


def stamp_wcs(ra: float, dec: float) -> WCS:
    """World coordinates of a stamp: TAN around the object, north up, east left."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [ra, dec]
    wcs.wcs.crpix = [(SIDE + 1) / 2, (SIDE + 1) / 2]
    wcs.wcs.cdelt = [-PIXEL_ARCSEC / 3600.0, PIXEL_ARCSEC / 3600.0]
    return wcs


def _separation(
    ra: NDArray[np.float64], dec: NDArray[np.float64], ra0: float, dec0: float
) -> NDArray[np.float64]:
    """Degrees between positions, by the haversine formula."""
    first, second = np.radians(dec), np.radians(dec0)
    half = np.sin((first - second) / 2) ** 2
    half += np.cos(first) * np.cos(second) * np.sin(np.radians(ra - ra0) / 2) ** 2
    return np.asarray(np.degrees(2 * np.arcsin(np.sqrt(np.clip(half, 0.0, 1.0)))))
