"""Lines stand where they belong and continua are gone."""

import numpy as np
import pytest

from al_service.features.scan import lines
from al_service.features.scan.profiles import bands, emission, planck, starlight
from al_service.features.scan.templates import SpectralClass, template_sets


def test_every_class_has_unit_templates_and_its_range_of_redshifts() -> None:
    for templates in template_sets():
        np.testing.assert_allclose(
            np.linalg.norm(templates.flux, axis=1), 1.0, rtol=1e-4
        )
        z = templates.redshift(np.array([0.0, templates.n_shifts - 1.0]))
        expected = {
            SpectralClass.GALAXY: (0.002, 1.0),
            SpectralClass.QSO: (0.05, 5.2),
            SpectralClass.STAR: (-0.0035, 0.0035),
        }[templates.spectral_class]
        assert z == pytest.approx(expected, abs=3e-3)


def test_a_line_of_strength_one_has_the_area_of_a_gaussian() -> None:
    wave = np.arange(4800.0, 4900.0, 0.1)
    profile = emission(wave, (lines.Line(4862.68, 1.0),), velocity=150.0)
    assert profile.sum() * 0.1 == pytest.approx(np.sqrt(2 * np.pi), rel=1e-4)
    assert wave[np.argmax(profile)] == pytest.approx(4862.68, abs=0.1)


def test_bands_are_sharp_at_the_head_and_fade_to_their_side() -> None:
    wave = np.arange(6900.0, 7300.0)
    titanium = bands(wave, (lines.Band(7055.9, 0.5, 110.0),))
    assert titanium[wave < 7055].max() == 0.0
    assert titanium[wave == 7056][0] == pytest.approx(0.5, rel=0.01)
    carbon = bands(wave, (lines.Band(7055.9, 0.5, -110.0),))
    assert carbon[wave > 7057].max() == 0.0


def test_starlight_has_the_calcium_break_and_no_emission_lines() -> None:
    wave = np.arange(3500.0, 7000.0, 1.0)
    old = starlight(wave)[3]
    blue = np.median(old[(wave > 3850) & (wave < 3950)])
    red = np.median(old[(wave > 4000) & (wave < 4100)])
    assert red / blue > 1.5  # D4000 of an old population
    for flux in starlight(wave):
        alpha = flux[np.abs(wave - 6564.6) < 8].max()
        assert alpha < 1.3 * np.median(flux[np.abs(wave - 6564.6) < 100])


def test_a_black_body_peaks_where_wien_says() -> None:
    wave = np.arange(2000.0, 12_000.0)
    assert wave[np.argmax(planck(wave, 5800.0))] == pytest.approx(2.898e7 / 5800, abs=2)
