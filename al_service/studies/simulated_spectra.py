"""Spectra of known redshift, noisy and unlike the templates of the scan.

What the scan is calibrated on must not be what the scan is made of: continua are mixed,
reddened and bent by a few percent at every scale, lines have their own widths, ratios
and shifts, a forest eats the blue side of Ly alpha, and the errors are not quite true.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from al_service.features.scan import lines
from al_service.features.scan.profiles import (
    Floats,
    bands,
    emission,
    planck,
    starlight,
)
from al_service.survey.spectra.grid import N_PIXELS, wavelengths

SDSS_PIXELS: Final = slice(253, 4105)
"""What the spectrographs of SDSS-I see of the grid; those of BOSS see all of it."""

JUNK_SHARE: Final = 0.05
"""Of spectra without any object: fibers on empty sky, dropped plugs."""

GALAXY_SHARE: Final = 0.55
QUASAR_SHARE: Final = 0.25
"""The rest are stars: about what a BOSS plate holds."""

SIGNAL_TO_NOISE: Final = (0.3, 20.0)
"""Median per pixel, log-uniform: half of the spectra are fainter than 2.5."""


@dataclass(frozen=True)
class SimulatedSpectra:
    """`N` observations and the truth."""

    flux: NDArray[np.float32]
    """`N x L`."""
    ivar: NDArray[np.float32]
    """`N x L`, as a survey would state it."""
    z: NDArray[np.float64]
    """`N`, NaN where there is no object."""
    spectral_class: NDArray[np.str_]
    """`N`: GALAXY, QSO, STAR, or empty where there is no object."""
    signal_to_noise: NDArray[np.float64]
    """`N`, median per pixel."""


def simulate_spectra(n: int, *, generator: Generator) -> SimulatedSpectra:
    """Draw objects and observe each once."""
    shares = [GALAXY_SHARE, QUASAR_SHARE]
    shares += [1.0 - sum(shares) - JUNK_SHARE, JUNK_SHARE]
    kinds = generator.choice(["GALAXY", "QSO", "STAR", ""], size=n, p=shares)
    makers: dict[str, Callable[[Generator], tuple[Floats, float]]] = {
        "GALAXY": galaxy,
        "QSO": quasar,
        "STAR": star,
        "": _nothing,
    }
    low, high = np.log(SIGNAL_TO_NOISE)
    ratio = np.exp(generator.uniform(low, high, n))
    flux = np.zeros((n, N_PIXELS), dtype=np.float32)
    ivar = np.zeros_like(flux)
    z = np.zeros(n)
    for i, kind in enumerate(kinds):
        truth, z[i] = makers[str(kind)](generator)
        flux[i], ivar[i] = observe(truth, ratio[i], generator)
    return SimulatedSpectra(flux, ivar, z, kinds, ratio)


def galaxy(generator: Generator) -> tuple[Floats, float]:
    """A galaxy's `L` fluxes and its redshift: nearby ones, and a distant tail."""
    near = generator.gamma(3.0, 0.04)
    z = near if generator.random() < 0.6 else generator.uniform(0.2, 0.95)
    z = min(max(z, 0.003), 0.95)
    wave = wavelengths() / (1.0 + z)
    mix = generator.dirichlet(np.full(5, 0.4))
    stars = np.tensordot(mix, np.array(starlight(wave)), axes=1)
    stars *= (wave / 5500.0) ** generator.exponential(0.5)  # dust
    truth = _bend(stars / np.median(stars), generator)
    if generator.random() < 0.65:
        truth += _gas(wave, generator)
    return truth, z


def quasar(generator: Generator) -> tuple[Floats, float]:
    """A quasar's `L` fluxes and its redshift, 0.2 to 4."""
    z = float(np.clip(generator.gamma(4.0, 0.42), 0.2, 4.0))
    wave = wavelengths() / (1.0 + z)
    truth = (wave / np.median(wave)) ** generator.normal(-1.4, 0.5)
    continuum = truth.copy()
    widening = generator.uniform(0.5, 1.8)
    for name in ("ultraviolet", "hydrogen", "narrow"):
        strength = 10.0 ** generator.normal(-0.05, 0.25)
        for line in lines.BROAD_LINES[name]:
            width = line.width * (widening if name != "narrow" else 1.0)
            center = line.wavelength * (1.0 + generator.normal(0.0, 1.5e-3))
            area = line.strength * strength * 10.0 ** generator.normal(0.0, 0.15)
            far = (wave - center) / width
            truth += continuum * area / (width * 2.507) * np.exp(-0.5 * far**2)
    for center in (2080.0, 2500.0, 2950.0, 3200.0):  # iron and the Balmer continuum
        far = (wave - center) / generator.uniform(50.0, 150.0)
        truth += continuum * generator.uniform(0.0, 0.25) * np.exp(-0.5 * far**2)
    return _bend(truth * _forest(wave, z, generator), generator), z


def star(generator: Generator) -> tuple[Floats, float]:
    """A star's `L` fluxes and its velocity over that of light."""
    z = float(np.clip(generator.normal(0.0, 3.5e-4), -1.5e-3, 1.5e-3))
    wave = wavelengths() / (1.0 + z)
    temperature = np.exp(generator.uniform(np.log(2800.0), np.log(20_000.0)))
    depth = np.zeros(N_PIXELS)
    for group, best, spread in (
        (lines.CALCIUM_AND_G_BAND, 5200.0, 0.25),
        (lines.METALS, 4500.0, 0.25),
        (lines.COOL_STAR_LINES, 3200.0, 0.15),
    ):
        share = np.exp(-0.5 * (np.log(temperature / best) / spread) ** 2)
        widths = generator.uniform(0.7, 1.4)
        profile = emission(wave, group, width=4.0 * widths)
        depth += share * generator.uniform(0.3, 0.8) * profile / profile.max()
    if temperature > 5500.0:
        width = generator.choice([5.0, 9.0, 25.0]) * generator.uniform(0.8, 1.2)
        balmer = emission(wave, lines.BALMER_SERIES, width=width)
        depth += generator.uniform(0.2, 0.6) * balmer / balmer.max()
    if temperature < 4000.0:
        depth += generator.uniform(0.6, 1.4) * bands(wave, lines.TITANIUM_OXIDE)
    flux = planck(wave, temperature) * (1.0 - np.clip(depth, 0.0, 0.9))
    return _bend(flux / np.median(flux), generator), z


def observe(
    truth: Floats, signal_to_noise: float, generator: Generator
) -> tuple[Floats, Floats]:
    """A noisy spectrum and the inverse variance that a survey would state.

    Args:
        truth: `L`, 0 throughout where there is no object.
        signal_to_noise: median per pixel over the coverage.
        generator: of all chance.
    """
    wave = wavelengths()
    throughput = np.clip(1.0 - ((np.log10(wave) - 3.80) / 0.24) ** 2, 0.08, None)
    sky = np.where(wave > 7200.0, generator.exponential(0.6, N_PIXELS) ** 2, 0.0)
    sigma = np.sqrt(1.0 + sky) / throughput
    seen = np.zeros(N_PIXELS, dtype=bool)
    seen[SDSS_PIXELS if generator.random() < 0.5 else slice(None)] = True
    level = np.median(truth[seen] / sigma[seen]) or np.median(1.0 / sigma[seen])
    sigma *= level / signal_to_noise
    wrong = np.exp(generator.normal(0.03, 0.05)) * (1.0 + 0.15 * (throughput < 0.3))
    noise = generator.standard_normal(N_PIXELS) * sigma * wrong
    calibration = 1.0 + 0.03 * _wave(N_PIXELS, 700, generator)
    bad = generator.random(N_PIXELS) < 0.01
    return truth * calibration + noise, np.where(seen & ~bad, sigma**-2.0, 0.0)


def _nothing(generator: Generator) -> tuple[Floats, float]:
    del generator
    return np.zeros(N_PIXELS), np.nan


def _gas(wave: Floats, generator: Generator) -> Floats:
    """Lines of star formation or of an active nucleus, on a continuum of 1."""
    velocity = np.hypot(70.0, generator.uniform(40.0, 250.0))
    alpha = 10.0 ** generator.normal(1.0, 0.5)  # equivalent width of H alpha, A
    beta = alpha / generator.uniform(2.8, 5.5)
    strengths = {
        "hydrogen alpha": alpha,
        "hydrogen": beta,
        "oxygen II": beta * 10.0 ** generator.normal(0.1, 0.3),
        "oxygen III": beta * 10.0 ** generator.normal(-0.2, 0.45),
        "nitrogen and sulfur II": alpha * 10.0 ** generator.normal(-0.9, 0.3),
    }
    total = np.zeros(len(wave))
    for name, strength in strengths.items():
        group = emission(wave, lines.NEBULAR[name], velocity=velocity)
        total += strength / 2.507 * group  # profiles have the area sqrt(2 pi)
    return total


def _forest(wave: Floats, z: float, generator: Generator) -> Floats:
    """Transmission of the intergalactic gas (Faucher-Giguere et al. 2008, eq. 5)."""
    depth = 0.0018 * (wave * (1.0 + z) / 1215.67) ** 3.92
    clumps = np.clip(1.0 + 0.8 * _wave(len(wave), 4, generator), 0.0, None)
    return np.where(wave < 1215.67, np.exp(-depth * clumps), 1.0)


def _bend(flux: Floats, generator: Generator) -> Floats:
    """What real spectra have and templates lack, at three scales."""
    bent = 1.0 + 0.02 * _wave(len(flux), 150, generator)
    bent += 0.012 * _wave(len(flux), 20, generator)
    bent += 0.006 * _wave(len(flux), 4, generator)
    return flux * bent


def _wave(n: int, scale: int, generator: Generator) -> Floats:
    """Smooth noise of unit variance, correlated over `scale` pixels."""
    knots = generator.standard_normal(n // scale + 3)
    return np.interp(np.arange(n) / scale, np.arange(len(knots)), knots) * 1.22
