"""What is slow goes, what is narrow stays."""

import numpy as np
import pytest

from al_service.features.scan.continuum import (
    MODEL_ERROR,
    SKY_RESIDUALS,
    prepare,
    without_continuum,
)
from al_service.survey.spectra import N_PIXELS, wavelengths


def test_a_slope_leaves_nothing_away_from_the_ends() -> None:
    flux = np.linspace(1.0, 3.0, N_PIXELS)[None]
    prepared = prepare(flux, np.ones((1, N_PIXELS)))
    middle = slice(700, -700)
    assert np.abs(prepared.residual[0, middle]).max() < 0.01


def test_data_and_templates_go_through_one_filter() -> None:
    line = np.exp(-0.5 * ((np.arange(N_PIXELS) - 2300) / 80.0) ** 2)[None]
    prepared = prepare(line, np.ones((1, N_PIXELS)))
    used = prepared.weight[0] > 0
    template = without_continuum(line)[0]
    assert np.abs(prepared.residual[0, used] - template[used]).max() < 0.02


def test_pixels_that_are_not_used_weigh_nothing_and_change_nothing() -> None:
    flux, ivar = np.ones((1, N_PIXELS)), np.ones((1, N_PIXELS))
    flux[0, 50:90], ivar[0, 50:90] = np.nan, 0.0
    flux[0, 100], ivar[0, 101] = np.inf, np.nan
    prepared = prepare(flux, ivar)
    assert (prepared.weight[0, 50:90] == 0).all()
    assert (prepared.weight[0, 100:102] == 0).all()
    assert np.isfinite(prepared.residual).all()
    assert np.abs(prepared.residual).max() < 1e-5


def test_the_night_sky_is_left_out() -> None:
    prepared = prepare(np.ones((1, N_PIXELS)), np.ones((1, N_PIXELS)))
    wave = wavelengths()
    near = (wave > SKY_RESIDUALS[0][0]) & (wave < SKY_RESIDUALS[0][1])
    assert (prepared.weight[0, near] == 0).all()
    assert (prepared.weight[0] > 0).mean() > 0.98


def test_templates_are_never_trusted_beyond_their_error() -> None:
    prepared = prepare(np.full((1, N_PIXELS), 5.0), np.full((1, N_PIXELS), 1e12))
    weight = prepared.weight[prepared.weight > 0]
    level = float(np.median(prepared.continuum))  # in units of the error
    np.testing.assert_allclose(weight, (MODEL_ERROR * level) ** -2, rtol=1e-3)


def test_understated_errors_are_found_out() -> None:
    noise = np.random.default_rng(2).standard_normal((1, N_PIXELS))
    noise[:, 2310:] *= 3.0
    weight = prepare(noise, np.ones((1, N_PIXELS))).weight[0]
    good, bad = weight[100:2200], weight[2400:4500]
    assert np.median(good[good > 0]) == pytest.approx(0.95, abs=0.1)
    assert np.median(bad[bad > 0]) == pytest.approx(1 / 9, rel=0.2)
