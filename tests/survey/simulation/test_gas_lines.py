"""Emission lines follow star formation, dust and metals."""

import numpy as np
import pytest

from al_service.survey.simulation.gas_lines import (
    LINES,
    halpha_attenuation,
    line_fluxes,
    line_ratios,
    oxygen_abundance,
)
from al_service.survey.simulation.settings import default_settings

SETTINGS = default_settings().lines
EXACT = SETTINGS.model_copy(
    update={"ratio_scatter": 0.0, "dust_scatter": 0.0, "metallicity_scatter": 0.0}
)
NOT_ACTIVE = np.array([False])


def flux_at(fluxes: np.ndarray, wavelength: float) -> float:
    (place,) = [
        i for i, one in enumerate(LINES) if abs(one.wavelength - wavelength) < 0.1
    ]
    return float(fluxes[0, place])


def fluxes(attenuation: float, abundance: float = 8.7) -> np.ndarray:
    ratios = line_ratios(
        np.array([abundance]), NOT_ACTIVE, EXACT, np.random.default_rng(0)
    )
    return line_fluxes(np.array([100.0]), ratios, np.array([attenuation]), EXACT)


def test_without_dust_balmer_lines_have_the_ratio_of_case_b() -> None:
    clear = fluxes(0.0)
    assert flux_at(clear, 6564.61) == pytest.approx(100.0)
    assert flux_at(clear, 6564.61) / flux_at(clear, 4862.68) == pytest.approx(2.86)


def test_dust_dims_lines_and_the_blue_ones_more() -> None:
    dusty = fluxes(1.0)
    assert flux_at(dusty, 6564.61) == pytest.approx(100.0 * 10**-0.4)
    # The Milky Way's curve has 1.42 times the dust at H beta (Cardelli et al. 1989).
    decrement = flux_at(dusty, 6564.61) / flux_at(dusty, 4862.68)
    assert decrement == pytest.approx(2.86 * 10 ** (0.4 * 0.43), rel=0.02)


def test_metals_raise_nitrogen_and_lower_oxygen() -> None:
    poor, rich = fluxes(0.0, 8.4), fluxes(0.0, 8.75)
    assert flux_at(rich, 6585.27) > 3 * flux_at(poor, 6585.27)
    assert flux_at(poor, 5008.24) > 3 * flux_at(rich, 5008.24)
    # Pettini & Pagel 2004: N2 = -0.35 at 12 + log(O/H) = 8.7.
    assert np.log10(flux_at(fluxes(0.0), 6585.27) / 100.0) == pytest.approx(
        -0.35, abs=0.01
    )


def test_massive_galaxies_are_dustier_and_richer() -> None:
    mass = np.array([9.0, 10.0, 11.0])
    chance = np.random.default_rng(0)
    dust, metals = (
        law(mass, EXACT, chance) for law in (halpha_attenuation, oxygen_abundance)
    )
    assert (np.diff(dust) > 0).all()
    assert (np.diff(metals) > 0).all()
    assert dust[1] == pytest.approx(0.91)
