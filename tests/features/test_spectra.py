"""Spectra as channels: observed frame, known scale, nothing that knows a redshift."""

import numpy as np
import pytest

from al_service.features.spectra import (
    CHANNELS,
    FLUX_SOFTENING,
    SCALE_FEATURES,
    prepare_spectra,
    running_mean,
)
from al_service.survey.spectra.grid import N_PIXELS

LINES, CONTINUUM, RATIO, MASK = range(len(CHANNELS))


def flat(level: float = 2.0, error: float = 0.2) -> tuple[np.ndarray, np.ndarray]:
    return np.full((1, N_PIXELS), level), np.full((1, N_PIXELS), error**-2.0)


def scale(name: str, flux: np.ndarray, ivar: np.ndarray) -> float:
    return float(prepare_spectra(flux, ivar).scale[0, SCALE_FEATURES.index(name)])


def test_a_flat_spectrum_is_its_level_and_no_lines() -> None:
    prepared = prepare_spectra(*flat())
    middle = slice(400, -400)
    channels = prepared.channels[0, :, middle]
    np.testing.assert_allclose(channels[LINES], 0.0, atol=1e-5)
    np.testing.assert_allclose(channels[CONTINUUM], np.arcsinh(1.0), atol=1e-5)
    np.testing.assert_allclose(channels[RATIO], np.log1p(10.0), rtol=1e-5)
    assert (channels[MASK] == 1.0).all()


def test_what_the_division_takes_away_is_handed_on() -> None:
    assert scale("log_level", *flat(2.0)) == pytest.approx(
        np.arcsinh(2.0 / FLUX_SOFTENING)
    )
    faint, bright = prepare_spectra(*flat(2.0, 0.2)), prepare_spectra(*flat(20.0, 2.0))
    np.testing.assert_allclose(faint.channels, bright.channels, atol=1e-5)
    assert (faint.scale != bright.scale).any()


def test_a_line_stays_at_its_observed_pixel() -> None:
    flux, ivar = flat()
    flux[0, 1234] += 5.0
    channel = prepare_spectra(flux, ivar).channels[0, LINES]
    assert int(channel.argmax()) == 1234
    # 2.5 levels above the continuum, a tenth of a level being the softening.
    assert channel[1234] == pytest.approx(np.arcsinh(25.0), abs=0.1)


def test_unusable_pixels_are_zero_in_every_channel_and_harm_no_other() -> None:
    flux, ivar = flat()
    whole = prepare_spectra(flux, ivar).channels
    flux[0, 1000:1010], ivar[0, 1000:1010] = 1e6, 0.0
    ivar[0, 2000] = np.nan
    holes = prepare_spectra(flux, ivar).channels
    assert (holes[0, :, 1000:1010] == 0.0).all()
    assert (holes[0, :, 2000] == 0.0).all()
    np.testing.assert_allclose(
        holes[0, :, 1010:1990], whole[0, :, 1010:1990], atol=1e-4
    )


@pytest.mark.parametrize(
    ("flux", "ivar"),
    [
        (np.zeros((1, N_PIXELS)), np.zeros((1, N_PIXELS))),
        (np.full((1, N_PIXELS), -3.0), np.ones((1, N_PIXELS))),
        (np.full((1, N_PIXELS), np.nan), np.full((1, N_PIXELS), np.nan)),
    ],
)
def test_empty_negative_and_missing_spectra_give_finite_channels(
    flux: np.ndarray, ivar: np.ndarray
) -> None:
    prepared = prepare_spectra(flux, ivar)
    assert np.isfinite(prepared.channels).all()
    assert np.abs(prepared.channels).max(initial=0.0) < 10.0


def test_the_running_mean_ignores_what_has_no_weight() -> None:
    values, weight = np.ones((1, N_PIXELS)), np.ones((1, N_PIXELS))
    values[0, 2000], weight[0, 2000] = 1e9, 0.0
    np.testing.assert_allclose(running_mean(values, weight), 1.0, rtol=1e-6)
    weight[:] = 0.0
    assert (running_mean(values, weight) == 0.0).all()
