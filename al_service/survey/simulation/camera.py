"""What a camera makes of light: noise of the sky and of the light itself."""

from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from al_service.survey.images.stamp import SIDE
from al_service.survey.simulation.settings import ImageSettings

_TOGETHER: Final = 4
"""Stamps at a time: they stay in the cache of one core."""

Floats = NDArray[np.float32]


def observe_stamps(
    truth: Floats, settings: ImageSettings, generator: Generator
) -> None:
    """Add noise to images, in place.

    Args:
        truth: `N x B x H x W` nanomaggies per pixel.
        settings: how much.
        generator: of all chance.
    """
    n, b = truth.shape[:2]
    scatter = np.exp(generator.normal(0.0, settings.sky_noise_scatter, (n, 1)))
    sky = np.array(settings.sky_noise) * scatter
    left = _planes(generator.normal(0.0, settings.sky_residual, (n, b)) * sky)
    floor = _planes(sky**2)
    per_electron = _planes(1.0 / np.array(settings.electrons_per_nanomaggie)[None])
    share = np.float32(_moving_average(settings.noise_correlation))
    for begin in range(0, n, _TOGETHER):
        image = truth[begin : begin + _TOGETHER]
        rows = slice(begin, begin + len(image))
        white = generator.standard_normal(
            (len(image), b, SIDE + 1, SIDE + 1), dtype=np.float32
        )
        noise = white[:, :, 1:] + share * white[:, :, :-1]
        noise = noise[..., 1:] + share * noise[..., :-1]
        deviation = np.sqrt(np.maximum(image, 0) * per_electron + floor[rows])
        deviation /= 1 + share**2
        image += noise * deviation + left[rows]


def _moving_average(correlation: float) -> float:
    """The weight of a neighbor that gives this correlation: a / (1 + a^2)."""
    if correlation == 0.0:
        return 0.0
    return float((1 - np.sqrt(1 - 4 * correlation**2)) / (2 * correlation))


def _planes(numbers: NDArray[np.float64]) -> Floats:
    return numbers.astype(np.float32)[:, :, None, None]
