"""Starlight in bands and in spectra is one starlight."""

import numpy as np
import pytest

from al_service.survey.kcorrect_templates import read_response
from al_service.survey.photometry_columns import BANDS
from al_service.survey.simulation.starlight import (
    LIGHT_SPEED,
    angular_scale,
    dilution,
    flux_table,
    luminosity_distance,
    spectra_of,
)
from al_service.survey.spectra.grid import wavelengths

NANOMAGGIE = 3.631e-29  # erg/s/cm^2/Hz


def synthetic(spectrum: np.ndarray, band: str) -> float:
    """Nanomaggies of a spectrum in 1e-17 erg/s/cm^2/A."""
    wave = wavelengths()
    seen, response = read_response(band)
    photons = np.interp(wave, seen, response, left=0.0, right=0.0) * wave
    zero = NANOMAGGIE * LIGHT_SPEED * 1e13 / wave**2
    width = np.gradient(wave)
    light = np.sum(photons * spectrum * 1e-17 * width)
    return float(light / np.sum(photons * zero * width))


@pytest.mark.parametrize("redshift", [0.02, 0.1, 0.35])
def test_spectra_have_the_fluxes_of_their_bands(redshift: float) -> None:
    weights = np.array([[1.0, 2e-3, 0.5, 0.7, 0.1]]) * 1e5
    z = np.array([redshift])
    flux = np.einsum("nk,nkb->nb", weights, flux_table(z))[0]
    spectrum = spectra_of(weights, z)[0]
    for band in "gri":  # u and z stick out of the grid
        expected = flux[BANDS.index(band)]
        assert synthetic(spectrum, band) == pytest.approx(expected, rel=0.01)


def test_a_redshift_moves_a_spectrum_and_stretches_it() -> None:
    weights = np.array([[0.0, 0.0, 1e6, 0.0, 0.0]])
    near, far = (spectra_of(weights, np.array([z]))[0] for z in (0.0, 10**0.02 - 1))
    moved = near[:-200] / 10**0.02  # 200 pixels of the grid
    np.testing.assert_allclose(far[200:], moved, rtol=2e-4)


def test_distances_are_those_of_the_cosmology() -> None:
    # Wright's calculator for H0 = 70, Omega_m = 0.3, flat: 460.3 Mpc at z = 0.1.
    assert luminosity_distance(np.array([0.1]))[0] == pytest.approx(460.3, rel=1e-3)
    assert angular_scale(np.array([0.1]))[0] == pytest.approx(1.844, rel=1e-3)
    assert dilution(np.array([0.1]))[0] == pytest.approx((1e-5 / 460.3) ** 2, rel=2e-3)
