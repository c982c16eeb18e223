"""The camera's noise is what the settings say."""

import numpy as np
import pytest

from al_service.survey.images.stamp import SIDE
from al_service.survey.simulation.camera import observe_stamps
from al_service.survey.simulation.settings import default_settings

SETTINGS = default_settings().images
QUIET = SETTINGS.model_copy(update={"sky_residual": 0.0, "sky_noise_scatter": 0.0})


def test_empty_sky_has_the_noise_and_the_correlation_of_the_settings() -> None:
    image = np.zeros((60, 5, SIDE, SIDE), dtype=np.float32)
    observe_stamps(image, QUIET, np.random.default_rng(0))
    np.testing.assert_allclose(image.std(axis=(0, 2, 3)), QUIET.sky_noise, rtol=0.01)
    for axis in (2, 3):
        first, second = np.split(np.swapaxes(image, axis, 3), [1], axis=3)
        del first
        beside = (second[..., 1:] * second[..., :-1]).mean() / (second**2).mean()
        assert beside == pytest.approx(QUIET.noise_correlation, abs=0.02)


def test_bright_pixels_are_noisier_by_their_electrons() -> None:
    light = 50.0
    image = np.full((40, 5, SIDE, SIDE), light, dtype=np.float32)
    observe_stamps(image, QUIET, np.random.default_rng(0))
    sky, gain = np.array(QUIET.sky_noise), np.array(QUIET.electrons_per_nanomaggie)
    expected = np.sqrt(sky**2 + light / gain)
    np.testing.assert_allclose(image.std(axis=(0, 2, 3)), expected, rtol=0.01)
    np.testing.assert_allclose(image.mean(axis=(0, 2, 3)), light, rtol=1e-3)
