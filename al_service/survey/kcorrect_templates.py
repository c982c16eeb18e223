"""The templates and filter curves that come with the `kcorrect` wheel (BSD-3).

Blanton & Roweis 2007 (AJ 133, 734): five populations of stars with their gas; every
galaxy is a positive sum of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
from astropy.io import ascii as tables
from astropy.io import fits
from numpy.typing import NDArray

from al_service.errors import NotFound

_TEMPLATES: Final = "templates/kcorrect-default-v4.fits"

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Populations:
    """The templates at rest."""

    wavelength: Floats
    """`M` vacuum A, 600 A to 300 um."""
    flux: Floats
    """`K x M` erg/s/cm^2/A at 10 pc per solar mass that ever formed."""
    remaining: Floats
    """`K` share of that mass in stars today."""


@cache
def read_populations() -> Populations:
    """The default templates."""
    with fits.open(kcorrect_data() / _TEMPLATES, memmap=False) as hdus:
        row = hdus["FLUX"].data[0]
        wave = np.asarray(row["wave"], dtype=np.float64)
        flux = np.asarray(row["flux"], dtype=np.float64).reshape(-1, len(wave))
        remaining = np.asarray(hdus["MREMAIN"].data, dtype=np.float64)
    return Populations(wave, flux, remaining)


def without_lines(
    wavelength: Floats, flux: Floats, centers: Iterable[float], *, reach: float
) -> Floats:
    """Fluxes with lines cut away and bridged by straight lines.

    Args:
        wavelength: `M`.
        flux: `K x M`.
        centers: of the lines, in the unit of the wavelengths.
        reach: how far to each side a line is cut, in units of its wavelength.
    """
    keep = np.ones(len(wavelength), dtype=bool)
    for center in centers:
        keep &= np.abs(wavelength / center - 1.0) > reach
    return np.array(
        [np.interp(wavelength, wavelength[keep], one[keep]) for one in flux]
    )


def read_response(band: str) -> tuple[Floats, Floats]:
    """The response of SDSS's camera in one band of ugriz.

    Returns:
        `M` wavelengths in A and `M` signals per photon, any unit.
    """
    table = tables.read(
        str(kcorrect_data() / f"responses/sdss_{band}0.dat"), format="fixed_width"
    )
    return (
        np.asarray(table["lambda"], dtype=np.float64),
        np.asarray(table["pass"], dtype=np.float64),
    )


def kcorrect_data() -> Path:
    """Where the wheel has put its files.

    Raises:
        NotFound: the wheel is not installed.
    """
    package = find_spec("kcorrect")  # located, not imported: importing it takes seconds
    if package is None or package.origin is None:
        raise NotFound("package", "kcorrect")
    return Path(package.origin).parent / "data"
