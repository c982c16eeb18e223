"""Spectra whose redshift is known because they were made with it."""

import numpy as np
from numpy.typing import NDArray

from al_service.features.scan import lines
from al_service.features.scan.profiles import emission, starlight
from al_service.survey.spectra import N_PIXELS, wavelengths

Floats = NDArray[np.float64]


def emission_line_galaxy(z: float) -> Floats:
    """`L` fluxes of a galaxy that forms stars; the continuum is about 1."""
    wave = wavelengths() / (1.0 + z)
    flux = starlight(wave)[2]
    for name, strength in (("hydrogen alpha", 12.0), ("oxygen III", 3.0)):
        flux = flux + strength * emission(wave, lines.NEBULAR[name], velocity=120.0)
    return flux + 4.0 * emission(wave, lines.NEBULAR["hydrogen"], velocity=120.0)


def noisy(flux: Floats, signal_to_noise: float, seed: int) -> tuple[Floats, Floats]:
    """One spectrum with white noise, `1 x L` each of flux and inverse variance."""
    sigma = np.median(flux) / signal_to_noise
    noise = np.random.default_rng(seed).normal(0.0, sigma, N_PIXELS)
    return (flux + noise)[None], np.full((1, N_PIXELS), sigma**-2.0)
