"""Lines where the scan says that they are."""

import numpy as np
import pytest
from astropy.cosmology import FlatLambdaCDM

from al_service.features.lines import (
    FLUX_SOFTENING,
    HUBBLE,
    LINE_FEATURES,
    LINES,
    OMEGA_MATTER,
    distance_modulus,
    line_features,
    measured_line,
)
from al_service.survey.spectra.grid import N_PIXELS, wavelengths

Z = 0.1
H_ALPHA = 6564.6


def spectrum(area: float, z: float = Z) -> tuple[np.ndarray, np.ndarray]:
    """A continuum of 3 and H alpha of some area, errors of 0.1."""
    wave = wavelengths()
    center, sigma = H_ALPHA * (1.0 + z), 3.0
    line = np.exp(-0.5 * ((wave - center) / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))
    flux = 3.0 + area * line
    return flux[None], np.full((1, N_PIXELS), 100.0)


def feature(name: str, flux: np.ndarray, ivar: np.ndarray, z: float = Z) -> float:
    columns = line_features(flux, ivar, np.array([z]), np.array([0.9]))
    return float(columns[0, LINE_FEATURES.index(name)])


def test_the_flux_of_a_line_is_its_area() -> None:
    found = FLUX_SOFTENING * np.sinh(feature("flux_hydrogen_alpha", *spectrum(60.0)))
    assert found == pytest.approx(60.0, rel=0.02)
    none = FLUX_SOFTENING * np.sinh(feature("flux_hydrogen_alpha", *spectrum(0.0)))
    assert none == pytest.approx(0.0, abs=0.01)


def test_a_line_is_looked_for_in_the_frame_of_the_given_redshift() -> None:
    flux, ivar = spectrum(60.0)
    assert feature("flux_hydrogen_alpha", flux, ivar, z=0.12) == pytest.approx(
        0.0, abs=0.2
    )


def test_significance_is_flux_over_error() -> None:
    flux, ivar = spectrum(60.0)
    lines = {name: (wave, half) for name, wave, half in LINES}
    wave, half = lines["hydrogen_alpha"]
    usable = np.ones(flux.shape, dtype=bool)
    strength, error, continuum = measured_line(
        flux, 1.0 / ivar, usable, np.array([wave * (1.0 + Z)]), half
    )
    pixel = wave * (1.0 + Z) * np.log(10.0) * 1e-4
    assert error[0] == pytest.approx(0.1 * pixel * np.sqrt(2 * half + 1), rel=1e-3)
    assert continuum[0] == pytest.approx(3.0, rel=0.01)
    assert np.sinh(feature("sn_hydrogen_alpha", flux, ivar)) == pytest.approx(
        strength[0] / error[0], rel=1e-6
    )


def test_without_a_scan_lines_are_missing_and_nobody_is_confident() -> None:
    flux, ivar = spectrum(60.0)
    columns = line_features(flux, ivar, np.array([np.nan]), np.array([0.0]))
    confidence = LINE_FEATURES.index("confidence")
    assert columns[0, confidence] == 0.0
    assert np.isnan(np.delete(columns[0], confidence)).all()


def test_lines_in_holes_and_beyond_the_end_are_missing_not_zero() -> None:
    flux, ivar = spectrum(60.0)
    near = np.abs(wavelengths() - H_ALPHA * (1.0 + Z)) < 8.0
    ivar[0, near] = 0.0
    assert np.isnan(feature("flux_hydrogen_alpha", flux, ivar))
    assert np.isfinite(feature("flux_hydrogen_beta", flux, ivar))
    assert np.isnan(feature("flux_hydrogen_alpha", *spectrum(60.0, z=0.7), z=0.7))


def test_distances_are_those_of_a_flat_universe() -> None:
    z = np.array([0.002, 0.01, 0.1, 0.5, 2.0])
    expected = FlatLambdaCDM(H0=HUBBLE, Om0=OMEGA_MATTER, Tcmb0=0.0).distmod(z).value
    np.testing.assert_allclose(distance_modulus(z), expected, atol=2e-3)
    assert distance_modulus(np.array([-0.001, 0.0]))[0] == distance_modulus(
        np.array([1e-3])
    )
