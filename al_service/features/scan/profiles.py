"""Shapes that spectra are made of: starlight, lines, bands, black bodies.

Starlight is that of the templates of `kcorrect` (Blanton & Roweis 2007, AJ 133, 734;
the wheel is BSD-3) with their emission lines cut away: those are tied to ages and
300 km/s wide.
"""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.features.scan import lines
from al_service.features.scan.lines import Band, Line
from al_service.survey.kcorrect_templates import read_populations, without_lines

Floats = NDArray[np.float64]

LIGHT_SPEED: Final = 299_792.458
"""km/s."""

_BRIDGE: Final = 900.0
"""km/s to each side of a line, three times the width that lines have in the file."""

_SECOND_RADIATION: Final = 1.4388e8
"""h c / k in A kelvin."""


def starlight(wavelength: Floats) -> list[Floats]:
    """Five populations, young to old: every galaxy is a positive sum of them.

    Args:
        wavelength: `M` at rest, vacuum A, within 600 A to 300 um.

    Returns:
        Five arrays `M` per A, of median 1.
    """
    wave, populations = _populations()
    shapes = [np.interp(wavelength, wave, flux) for flux in populations]
    return [shape / np.median(shape) for shape in shapes]


def emission(
    wavelength: Floats,
    group: tuple[Line, ...],
    *,
    velocity: float = 0.0,
    width: float = 0.0,
) -> Floats:
    """Lines of Gaussian profile; a line of strength 1 has the area sqrt(2 pi).

    Args:
        wavelength: `M`, A.
        group: lines; one that has a width of its own keeps it.
        velocity: standard deviation of the others in km/s, if there is no `width`.
        width: standard deviation of the others in A.
    """
    profile = np.zeros(len(wavelength))
    for line in group:
        sigma = line.width or width or line.wavelength * velocity / LIGHT_SPEED
        far = (wavelength - line.wavelength) / sigma
        profile += line.strength / sigma * np.exp(-0.5 * far**2)
    return profile


def bands(wavelength: Floats, group: tuple[Band, ...]) -> Floats:
    """Depth of molecular bands, `M`."""
    depth = np.zeros(len(wavelength))
    for band in group:
        far = (wavelength - band.head) / band.fade
        depth += np.where(far > 0, band.depth * np.exp(-np.maximum(far, 0.0)), 0.0)
    return depth


def planck(wavelength: Floats, temperature: float) -> Floats:
    """A black body per A, `M`, of maximum 1."""
    exponent = _SECOND_RADIATION / (wavelength * temperature)
    flux = wavelength**-5.0 / np.expm1(np.minimum(exponent, 500.0))
    return np.asarray(flux / flux.max())


@cache
def _populations() -> tuple[Floats, list[Floats]]:
    """Wavelengths and fluxes of `kcorrect`'s templates, without lines."""
    templates = read_populations()
    centers = [line.wavelength for group in lines.NEBULAR.values() for line in group]
    shapes = without_lines(
        templates.wavelength, templates.flux, centers, reach=_BRIDGE / LIGHT_SPEED
    )
    return templates.wavelength, list(shapes)
