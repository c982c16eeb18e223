"""Lines lie where the redshift puts them, with the flux that the gas has."""

from dataclasses import replace

import numpy as np
import pytest

from al_service.survey.simulation.anchors import Anchors, read_anchors
from al_service.survey.simulation.galaxies import Galaxies, make_galaxies
from al_service.survey.simulation.gas_lines import LINES
from al_service.survey.simulation.settings import default_settings
from al_service.survey.simulation.spectra import (
    Gas,
    add_lines,
    fiber_continuum,
    make_gas,
    smooth_noise,
)
from al_service.survey.simulation.starlight import luminosity_distance
from al_service.survey.spectra.grid import (
    LOGLAM_START,
    LOGLAM_STEP,
    N_PIXELS,
    wavelengths,
)

SETTINGS = default_settings()
N = 40
HALPHA = 6564.61


@pytest.fixture(scope="module")
def anchors() -> Anchors:
    near = read_anchors(SETTINGS.anchors)
    return near.take(np.flatnonzero((near.redshift > 0.03) & (near.redshift < 0.2))[:N])


@pytest.fixture(scope="module")
def galaxies(anchors: Anchors) -> Galaxies:
    return make_galaxies(anchors, SETTINGS.star_formation, np.random.default_rng(0))


def one_line(galaxies: Galaxies, flux: float) -> Gas:
    """Nothing but H alpha."""
    fluxes = np.zeros((len(galaxies), len(LINES)))
    fluxes[:, 0] = flux
    nothing = np.zeros(len(galaxies))
    return Gas(fluxes, nothing, nothing, nothing.astype(bool), nothing + 120.0)


def test_a_line_lies_at_the_pixel_of_its_redshift(galaxies: Galaxies) -> None:
    spectra = np.zeros((N, N_PIXELS), dtype=np.float32)
    add_lines(spectra, galaxies, one_line(galaxies, 100.0))
    place = (np.log10(HALPHA * (1 + galaxies.redshift)) - LOGLAM_START) / LOGLAM_STEP
    pixels = np.arange(N_PIXELS)
    center = (spectra * pixels).sum(axis=1) / spectra.sum(axis=1)
    np.testing.assert_allclose(center, place, atol=0.02)


def test_a_line_has_its_flux_behind_the_dust_of_the_milky_way(
    galaxies: Galaxies,
) -> None:
    spectra = np.zeros((N, N_PIXELS), dtype=np.float32)
    add_lines(spectra, galaxies, one_line(galaxies, 100.0))
    area = (spectra * np.gradient(wavelengths())).sum(axis=1)
    dust = galaxies.anchors.extinction
    seen = 100.0 * 10 ** (-0.4 * dust)
    # H alpha at these redshifts lies between r and z.
    assert (area < seen[:, 4] * 1.01).all()
    assert (area > seen[:, 2] * 0.99).all()


def test_a_line_beyond_the_grid_is_left_out(galaxies: Galaxies) -> None:
    far = replace(galaxies.anchors, redshift=np.full(N, 0.7))
    spectra = np.zeros((N, N_PIXELS), dtype=np.float32)
    add_lines(spectra, replace(galaxies, anchors=far), one_line(galaxies, 100.0))
    assert not spectra.any()


def test_halpha_is_that_of_the_stars_that_form_in_the_fiber(galaxies: Galaxies) -> None:
    lines = SETTINGS.lines.model_copy(update={"active_share": 0.0})
    rate = np.full(N, 2.0)
    gas = make_gas(galaxies, rate, np.zeros(N), lines, np.random.default_rng(0))
    centimeters = luminosity_distance(galaxies.redshift) * 3.0857e24
    flux = gas.fluxes[:, 0] * 1e-17 * 10 ** (0.4 * gas.attenuation)
    luminosity = flux * 4 * np.pi * centimeters**2
    # Kennicutt 1998 with Chabrier's masses: SFR = 4.7e-42 L(H alpha).
    np.testing.assert_allclose(4.68e-42 * luminosity, rate, rtol=0.01)


def test_a_fiber_with_half_of_the_light_has_half_of_the_spectrum(
    galaxies: Galaxies,
) -> None:
    whole = fiber_continuum(galaxies, np.ones((N, 5)))
    half = fiber_continuum(galaxies, np.full((N, 5), 0.5))
    np.testing.assert_allclose(half, 0.5 * whole, rtol=1e-4)


def test_smooth_noise_has_unit_variance_at_every_pixel() -> None:
    noise = smooth_noise(4000, 60, np.random.default_rng(0))
    np.testing.assert_allclose(noise[:, ::37].std(axis=0), 1.0, atol=0.06)
    beside = np.mean(noise[:, 100] * noise[:, 103])
    assert beside > 0.95
