"""The simulator's numbers are those of real files."""

import numpy as np
import pytest

from al_service.studies.simulation_anchors import (
    SKY_FIBERS,
    SPECTRA,
    STAMPS,
    boss_ivar,
    correlations,
    noise_over_stated,
    sky_fibers,
    spectrum_noise,
    stamp_noise,
)
from al_service.survey.simulation.camera import observe_stamps
from al_service.survey.simulation.settings import default_settings
from al_service.survey.simulation.spectrograph import observe_spectra
from al_service.survey.spectra.grid import N_PIXELS, wavelengths
from tests.real_spectra import DATA

SETTINGS = default_settings()

needs_real_files = pytest.mark.skipif(
    not all((DATA / name).exists() for name in (STAMPS, SKY_FIBERS, SPECTRA)),
    reason=f"no real stamps, sky and spectra in {DATA}: set AL_TEST_DATA",
)


@needs_real_files
def test_the_sky_of_simulated_stamps_is_that_of_a_real_field() -> None:
    with np.load(DATA / STAMPS) as stored:
        real = stamp_noise(stored["stamps"].astype(np.float64))
    empty = np.zeros((60, 5, 64, 64), dtype=np.float32)
    observe_stamps(empty, SETTINGS.images, np.random.default_rng(0))
    simulated = stamp_noise(empty.astype(np.float64))
    np.testing.assert_allclose(simulated.noise, real.noise, rtol=0.05)
    np.testing.assert_allclose(simulated.correlation, real.correlation, atol=0.04)


@needs_real_files
def test_the_noise_of_simulated_spectra_is_that_of_real_empty_sky() -> None:
    flux, ivar = sky_fibers(DATA / SKY_FIBERS)
    sky = np.zeros((300, N_PIXELS), dtype=np.float32)
    found = observe_spectra(sky, SETTINGS.spectra, np.random.default_rng(0))
    for boss, real in ((False, ivar), (True, boss_ivar(DATA / SPECTRA))):
        which = found.boss == boss
        expected = spectrum_noise(real)
        simulated = spectrum_noise(found.ivar[which].astype(np.float64))
        assert simulated.level == pytest.approx(expected.level, rel=0.12)
        # Ends of the coverage differ by some pixels from fiber to fiber.
        inside = slice(450, 4000)
        ratio = simulated.curve[inside] / expected.curve[inside]
        assert np.nanmedian(np.abs(ratio - 1.0)) < 0.05
        assert np.nanmax(np.abs(np.log(ratio))) < 0.35
    of_sdss = spectrum_noise(ivar)
    between, within = noise_over_stated(flux, ivar, of_sdss)
    assert SETTINGS.spectra.noise_over_stated == pytest.approx(between, abs=0.02)
    assert SETTINGS.spectra.noise_over_stated_in_lines == pytest.approx(
        within, abs=0.03
    )
    beside, smooth = correlations(flux, ivar)
    assert SETTINGS.spectra.noise_correlation == pytest.approx(beside, abs=0.02)
    assert SETTINGS.spectra.smooth_share == pytest.approx(smooth, abs=0.02)


def test_what_is_measured_of_noise_is_what_was_put_in() -> None:
    generator = np.random.default_rng(0)
    white = generator.normal(0.0, 0.3, (50, 5, 64, 64))
    found = stamp_noise(white + generator.normal(0.0, 0.6, (50, 5, 1, 1)))
    # 3-sigma clipping takes a little of the tails.
    np.testing.assert_allclose(found.noise, 0.3, rtol=0.02)
    np.testing.assert_allclose(found.correlation, 0.0, atol=0.01)
    np.testing.assert_allclose(found.residual, 2.0, rtol=0.35)
    sigma = 1.0 + 2.0 * np.exp(-0.5 * ((np.arange(N_PIXELS) - 2000) / 2.0) ** 2)
    noise = spectrum_noise(np.repeat(sigma[None] ** -2.0, 4, axis=0))
    ((center, rise),) = noise.lines
    assert center == pytest.approx(wavelengths()[2000], rel=1e-6)
    assert rise == pytest.approx(3.0, rel=0.01)
