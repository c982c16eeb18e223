"""Spectrographs see a part of the grid, with noise, and some exposures are short."""

import numpy as np
import pytest

from al_service.survey.simulation.settings import default_settings
from al_service.survey.simulation.spectrograph import Observed, observe_spectra
from al_service.survey.spectra.grid import N_PIXELS

SETTINGS = default_settings().spectra
N = 600


def observed(level: float = 20.0, n: int = N) -> tuple[np.ndarray, Observed]:
    truth = np.full((n, N_PIXELS), level, dtype=np.float32)
    return truth, observe_spectra(truth, SETTINGS, np.random.default_rng(0))


def test_a_fifth_is_the_faint_tail_and_the_rest_reaches_the_limit() -> None:
    truth, found = observed()
    faint = found.signal_to_noise < SETTINGS.faint_limit
    np.testing.assert_array_equal(faint, found.faint)
    assert faint.mean() == pytest.approx(SETTINGS.faint_share, abs=0.05)
    # What is said of a spectrum is what its errors say.
    ratio = np.where(found.ivar > 0, truth * np.sqrt(found.ivar), np.nan)
    np.testing.assert_allclose(
        np.nanmedian(ratio, axis=1), found.signal_to_noise, rtol=0.1
    )


def test_true_noise_is_a_little_less_than_stated_as_in_real_spectra() -> None:
    truth, found = observed()
    unit = (found.flux - truth) * np.sqrt(found.ivar)
    spread = unit[found.ivar > 0].std()
    assert spread == pytest.approx(SETTINGS.noise_over_stated, abs=0.05)


def test_sdss_sees_less_of_the_grid_than_boss_and_nothing_is_told_beyond() -> None:
    _, found = observed()
    seen = (found.ivar > 0).sum(axis=1)
    first, last = SETTINGS.sdss_pixels
    assert np.median(seen[~found.boss]) == pytest.approx(last - first, rel=0.01)
    assert seen[found.boss].min() > seen[~found.boss].max()
    assert not found.flux[~found.boss][:, 4200:].any()
    assert found.boss.mean() == pytest.approx(SETTINGS.boss_share, abs=0.06)


def test_some_pixels_are_masked_but_few() -> None:
    _, found = observed()
    inside = found.ivar[:, 500:4000]
    assert 0.0005 < (inside == 0).mean() < 0.01


def test_noise_rises_in_sky_lines() -> None:
    _, found = observed()
    sigma = 1.0 / np.sqrt(np.where(found.ivar > 0, found.ivar, np.nan))
    at = round((np.log10(5578.5) - 3.5530) / 1e-4)
    beside = np.nanmedian(sigma[:, at - 30 : at - 20])
    assert np.nanmedian(sigma[:, at]) > 3 * beside


def test_empty_sky_is_noise_alone() -> None:
    _, found = observed(0.0, n=50)
    assert (found.signal_to_noise == 0).all()
    unit = found.flux * np.sqrt(found.ivar)
    assert abs(unit[found.ivar > 0].mean()) < 0.05
