"""Starlight of galaxies: fluxes in the bands at any redshift, and spectra at rest."""

from functools import cache
from typing import Final

import numpy as np
from astropy.cosmology import FlatLambdaCDM
from numpy.typing import NDArray

from al_service.survey.kcorrect_templates import (
    read_populations,
    read_response,
    without_lines,
)
from al_service.survey.photometry_columns import BANDS
from al_service.survey.simulation.gas_lines import LINES
from al_service.survey.spectra.grid import LOGLAM_START, LOGLAM_STEP, N_PIXELS

LIGHT_SPEED: Final = 299_792.458
"""km/s."""

COSMOLOGY: Final = FlatLambdaCDM(H0=70.0, Om0=0.3)
"""That of the MPA-JHU catalog."""

LARGEST_REDSHIFT: Final = 0.75
"""Of galaxies of the main sample none is further than 0.6."""

EFFECTIVE_WAVELENGTHS: Final = np.array([3557.0, 4702.0, 6176.0, 7490.0, 8947.0])
"""Of ugriz, A (Doi et al. 2010, AJ 139, 1628, table 4)."""

_NANOMAGGIE: Final = 3.631e-29
"""erg/s/cm^2/Hz of an object of AB magnitude 22.5."""

_TEN_PARSEC_IN_MPC: Final = 1e-5

_LINE_REACH: Final = 900.0
"""km/s to each side, three times the width that lines have in the templates."""

_REDSHIFTS: Final = np.arange(0.0, LARGEST_REDSHIFT + 0.0025, 0.0025)

_SPECTRUM_UNIT: Final = 1e-17
"""erg/s/cm^2/A: the unit of SDSS's spectra."""

Floats = NDArray[np.float64]


def flux_table(redshift: Floats) -> Floats:
    """Fluxes of one solar mass of every population at 10 pc, as if it moved away.

    Args:
        redshift: `N`.

    Returns:
        `N x K x B` nanomaggies; light is dimmed and stretched by the redshift, not
        by distance.
    """
    table = _band_fluxes()
    place = np.asarray(redshift) / (_REDSHIFTS[1] - _REDSHIFTS[0])
    below = np.minimum(place.astype(np.int64), len(_REDSHIFTS) - 2)
    part = (place - below)[:, None, None]
    return np.asarray(table[below] * (1.0 - part) + table[below + 1] * part)


def dilution(redshift: Floats) -> Floats:
    """By what distance dims light against 10 pc, `N`."""
    return np.asarray((_TEN_PARSEC_IN_MPC / luminosity_distance(redshift)) ** 2)


def luminosity_distance(redshift: Floats) -> Floats:
    """Mpc, `N`."""
    return np.asarray(np.interp(redshift, _REDSHIFTS, _distances()))


def angular_scale(redshift: Floats) -> Floats:
    """Kiloparsecs per arcsecond, `N`."""
    distance = luminosity_distance(redshift) / (1.0 + np.asarray(redshift)) ** 2
    return np.asarray(distance * 1e3 * np.radians(1.0 / 3600.0))


def remaining_mass() -> Floats:
    """`K` solar masses of stars that are left of one that formed."""
    return read_populations().remaining


def spectra_of(weights: Floats, redshift: Floats) -> NDArray[np.float32]:
    """Starlight on the grid of the survey: a redshift is a shift.

    Args:
        weights: `N x K` solar masses at 10 pc that give the observed flux.
        redshift: `N`, below `LARGEST_REDSHIFT`.

    Returns:
        `N x L` in 1e-17 erg/s/cm^2/A.
    """
    rest = _rest_templates()
    shift = np.log10(1.0 + redshift) / LOGLAM_STEP
    first = _shift_room() - shift
    whole = np.floor(first).astype(np.int64)
    part = (first - whole).astype(np.float32)
    spectra = np.empty((len(weights), N_PIXELS), dtype=np.float32)
    scaled = (weights / (1.0 + redshift)[:, None]).astype(np.float32)
    for i, begin in enumerate(whole):
        seen = scaled[i] @ rest[:, begin : begin + N_PIXELS + 1]
        spectra[i] = seen[:-1] * (1.0 - part[i]) + seen[1:] * part[i]
    return spectra


@cache
def _distances() -> Floats:
    mpc: Floats = COSMOLOGY.luminosity_distance(_REDSHIFTS).value
    return mpc


def _shift_room() -> int:
    return int(np.ceil(np.log10(1.0 + LARGEST_REDSHIFT) / LOGLAM_STEP)) + 1


@cache
def _lineless() -> tuple[Floats, Floats]:
    templates = read_populations()
    flux = without_lines(
        templates.wavelength,
        templates.flux,
        (line.wavelength for line in LINES),
        reach=_LINE_REACH / LIGHT_SPEED,
    )
    return templates.wavelength, flux


@cache
def _rest_templates() -> NDArray[np.float32]:
    """`K x M` in 1e-17 units from the bluest rest wavelength that is ever seen."""
    wave, flux = _lineless()
    pixels = np.arange(-_shift_room(), N_PIXELS + 1)
    rest = 10.0 ** (LOGLAM_START + LOGLAM_STEP * pixels)
    shapes = np.array([np.interp(rest, wave, one) for one in flux])
    return (shapes / _SPECTRUM_UNIT).astype(np.float32)


@cache
def _band_fluxes() -> Floats:
    """`Z x K x B` nanomaggies on the grid of redshifts."""
    wave, flux = _lineless()
    table = np.zeros((len(_REDSHIFTS), len(flux), len(BANDS)))
    for b, band in enumerate(BANDS):
        seen, response = read_response(band)
        grid = np.arange(seen[0], seen[-1], 5.0)
        photons = np.interp(grid, seen, response) * grid
        zero = _NANOMAGGIE * LIGHT_SPEED * 1e13 / grid**2
        norm = np.sum(photons * zero)
        for i, redshift in enumerate(_REDSHIFTS):
            rest = grid / (1.0 + redshift)
            for k, one in enumerate(flux):
                light = np.interp(rest, wave, one) / (1.0 + redshift)
                table[i, k, b] = np.sum(photons * light) / norm
    return table
