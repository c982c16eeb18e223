"""Spectra of what falls into the fiber, without noise: starlight and gas."""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from al_service.survey.simulation.galaxies import Galaxies
from al_service.survey.simulation.gas_lines import (
    halpha_attenuation,
    line_fluxes,
    line_ratios,
    line_wavelengths,
    oxygen_abundance,
)
from al_service.survey.simulation.settings import LineSettings, SpectrumSettings
from al_service.survey.simulation.starlight import (
    EFFECTIVE_WAVELENGTHS,
    LIGHT_SPEED,
    luminosity_distance,
    spectra_of,
)
from al_service.survey.spectra.grid import (
    LOGLAM_START,
    LOGLAM_STEP,
    N_PIXELS,
    wavelengths,
)

HALPHA: Final = 0
"""Place of H alpha among the lines."""

_CM_PER_MPC: Final = 3.0857e24

_REACH: Final = 12
"""Pixels to each side within which a line is drawn: four standard deviations of gas
at 200 km/s."""

_FLUX_UNIT: Final = 1e-17
"""erg/s/cm^2/A: the unit of fluxes."""

Floats = NDArray[np.float64]
Spectra = NDArray[np.float32]


@dataclass(frozen=True)
class Gas:
    """What the gas in the fibers of `N` galaxies is like."""

    fluxes: Floats
    """`N x n` of the lines in `LINES`, 1e-17 erg/s/cm^2, without Galactic dust."""
    attenuation: Floats
    """`N` magnitudes at H alpha."""
    abundance: Floats
    """`N` 12 + log(O/H)."""
    active: NDArray[np.bool_]
    """`N`, whether a nucleus outshines the young stars."""
    velocity: Floats
    """`N` km/s, standard deviation with that of the spectrograph."""


def make_gas(
    galaxies: Galaxies,
    fiber_rate: Floats,
    continuum: Floats,
    settings: LineSettings,
    generator: Generator,
) -> Gas:
    """Draw dust, metals and line fluxes.

    Args:
        galaxies: `N`.
        fiber_rate: `N` solar masses a year that form within the fiber.
        continuum: `N` fluxes at H alpha, 1e-17 erg/s/cm^2/A: what old stars light up
            is in proportion to it.
        settings: how lines follow.
        generator: of all chance.
    """
    n = len(galaxies)
    attenuation = halpha_attenuation(galaxies.log_mass, settings, generator)
    abundance = oxygen_abundance(galaxies.log_mass, settings, generator)
    active = generator.random(n) < settings.active_share
    ratios = line_ratios(abundance, active, settings, generator)
    distance = luminosity_distance(galaxies.redshift) * _CM_PER_MPC
    luminosity = fiber_rate * 10.0**settings.log_halpha_per_rate
    halpha = luminosity / (4.0 * np.pi * distance**2) / _FLUX_UNIT
    halpha = halpha * 10.0 ** (settings.active_excess * active)
    young = line_fluxes(halpha, ratios, attenuation, settings)
    scatter = generator.normal(0.0, settings.old_equivalent_width_scatter, n)
    width = settings.old_equivalent_width * 10.0**scatter
    old = continuum * width * (1.0 + galaxies.redshift)
    nuclear = line_ratios(abundance, np.ones(n, dtype=bool), settings, generator)
    spread = generator.normal(0.0, settings.gas_velocity_scatter, n)
    return Gas(
        fluxes=young + line_fluxes(old, nuclear, np.zeros(n), settings),
        attenuation=attenuation,
        abundance=abundance,
        active=active,
        velocity=np.hypot(
            settings.instrument_velocity, settings.gas_velocity * 10.0**spread
        ),
    )


def fiber_continuum(galaxies: Galaxies, fiber_share: Floats) -> Spectra:
    """Starlight in the fiber, `N x L` in 1e-17 erg/s/cm^2/A.

    Args:
        galaxies: `N`.
        fiber_share: `N x B` of each band's light that falls into the fiber.
    """
    anchors = galaxies.anchors
    factor = np.log(np.maximum(fiber_share, 1e-6)) + anchors.residual
    factor = factor - np.log(10.0) * 0.4 * anchors.extinction
    # Between the bands the factor runs straight: images and spectra agree in each.
    smooth = np.exp(factor.astype(np.float32) @ _between_bands())
    return np.asarray(spectra_of(anchors.weights, anchors.redshift) * smooth)


def add_lines(continuum: Spectra, galaxies: Galaxies, gas: Gas) -> None:
    """Add the lines of the gas to `N x L` spectra, in place."""
    n = len(galaxies)
    observed = line_wavelengths()[None] * (1.0 + galaxies.redshift[:, None])
    place = (np.log10(observed) - LOGLAM_START) / LOGLAM_STEP
    sigma = gas.velocity / LIGHT_SPEED / np.log(10.0) / LOGLAM_STEP
    nearest = np.rint(place).astype(np.int64)
    pixels = nearest[:, :, None] + np.arange(-_REACH, _REACH + 1)
    far = (pixels - place[:, :, None]) / sigma[:, None, None]
    # Area in A: a pixel of the logarithmic grid is this wide at the line.
    width = observed * np.log(10.0) * LOGLAM_STEP
    dust = np.exp(
        -np.log(10.0)
        * 0.4
        * np.array(
            [
                np.interp(seen, EFFECTIVE_WAVELENGTHS, magnitudes)
                for seen, magnitudes in zip(
                    observed, galaxies.anchors.extinction, strict=True
                )
            ]
        )
    )
    peak = gas.fluxes * dust / (width * sigma[:, None] * np.sqrt(2.0 * np.pi))
    values = peak[:, :, None] * np.exp(-0.5 * far**2)
    seen_here = (pixels >= 0) & (pixels < N_PIXELS)
    rows = np.broadcast_to(np.arange(n)[:, None, None], pixels.shape)
    np.add.at(
        continuum,
        (rows[seen_here], pixels[seen_here]),
        values[seen_here].astype(np.float32),
    )


def add_structure(
    spectra: Spectra, settings: SpectrumSettings, generator: Generator
) -> None:
    """Bend spectra by a little at some scales: no galaxy is a sum of five templates."""
    for depth, scale in zip(settings.structure, settings.structure_pixels, strict=True):
        spectra *= 1 + np.float32(depth) * smooth_noise(len(spectra), scale, generator)


def smooth_noise(n: int, scale: int, generator: Generator) -> Spectra:
    """Noise of unit variance that runs straight between knots, `N x L`."""
    hats = _hats(scale)
    return np.asarray(
        generator.standard_normal((n, len(hats)), dtype=np.float32) @ hats
    )


@cache
def _hats(scale: int) -> Spectra:
    """Weights of knots this many pixels apart; their squares add up to 1 in a pixel."""
    knots = np.arange(N_PIXELS // scale + 2)
    far = np.abs(np.arange(N_PIXELS) / scale - knots[:, None])
    weights = np.maximum(1.0 - far, 0.0)
    return np.asarray(weights / np.linalg.norm(weights, axis=0), dtype=np.float32)


@cache
def _between_bands() -> Spectra:
    """`B x L`: weights that interpolate linearly between the bands' wavelengths."""
    bands = EFFECTIVE_WAVELENGTHS
    grid = wavelengths()
    return np.array(
        [np.interp(grid, bands, one) for one in np.eye(len(bands))], dtype=np.float32
    )
