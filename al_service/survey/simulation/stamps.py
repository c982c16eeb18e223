"""Stamps of galaxies, drawn in Fourier space: shapes there are formulas.

Profiles are those of Spergel 2010 (ApJS 191, 58): (1 + k^2 r^2)^-(1 + nu) with nu = 1/2
for exponential disks and nu = -1/2 for bulges, whose light within R is 1 - exp(-R/r):
as concentrated (r90/r50 = 3.3) as real spheroids of SDSS. One inverse transform per
band makes the image; it is twice as wide as the stamp, so that nothing wraps around.
The light within the fiber comes from the same transforms (Parseval's theorem).
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.fft import irfft2
from scipy.special import j1

from al_service.survey.images.stamp import PIXEL_ARCSEC, SIDE
from al_service.survey.photometry_columns import BANDS
from al_service.survey.simulation.galaxies import R_BAND
from al_service.survey.simulation.settings import ImageSettings
from al_service.survey.simulation.shapes import BULGE, YOUNG, Shapes

_BOX: Final = 2 * SIDE
_HALF: Final = _BOX // 2 + 1

_EXPONENTIAL: Final = 1.0 / 1.67835
"""Scale of an exponential disk over its half-light radius."""

_SPHEROID: Final = 1.0 / np.log(2.0)
"""Scale of a profile with nu = -1/2 over its half-light radius."""

_SIGMA_PER_FWHM: Final = 1.0 / 2.3548

Floats = NDArray[np.float32]
Complex = NDArray[np.complex64]


@dataclass(frozen=True)
class Scenes:
    """`N` stamps in Fourier space before the seeing."""

    components: Complex
    """`N x C x (2H x (W + 1))` of unit flux: bulge, disk, young disk, neighbors."""
    flux: Floats
    """`N x B x C` nanomaggies."""
    shift: Complex
    """`N x (2H x (W + 1))`: what moves the galaxy off the middle of the stamp."""


@dataclass(frozen=True)
class Seeing:
    """The point-spread functions of `N` fields."""

    sigma: NDArray[np.float64]
    """`N x B` standard deviation of the narrow part, pixels."""
    wing_share: float
    wing_width: float

    def transfer(self, bands: slice | list[int]) -> Floats:
        """`N x B x (2H x (W + 1))`."""
        narrow = _gaussian(self.sigma[:, bands])
        wide = _gaussian(self.sigma[:, bands] * self.wing_width)
        share = np.float32(self.wing_share)
        both = (1 - share) * narrow + share * wide
        return np.asarray(both.reshape(*both.shape[:2], _BOX * _HALF))


def draw_seeing(n: int, settings: ImageSettings, generator: Generator) -> Seeing:
    """One field after the other: good in one band, good in all."""
    scatter = settings.seeing_scatter
    common = generator.normal(0.0, scatter, (n, 1))
    own = generator.normal(0.0, 0.3 * scatter, (n, len(BANDS)))
    width = np.array(settings.seeing) * np.exp(common + own)
    return Seeing(
        sigma=width * _SIGMA_PER_FWHM / PIXEL_ARCSEC,
        wing_share=settings.wing_share,
        wing_width=settings.wing_width,
    )


def make_scenes(shapes: Shapes) -> Scenes:
    """Galaxies, their clumps and neighbors, in Fourier space."""
    n, m = shapes.neighbor_radius.shape
    kx, ky = _frequencies()
    components = np.zeros((n, 3 + m, _BOX, _HALF), dtype=np.complex64)
    for part in range(3):
        components[:, part] = _profile(shapes, part, kx, ky)
    components[:, YOUNG] *= _smooth_share(shapes)
    components[:, YOUNG] += _points(shapes.clump_x, shapes.clump_y, shapes.clump_flux)
    moved = [shapes.neighbor_x - shapes.center_x[:, None],
             shapes.neighbor_y - shapes.center_y[:, None]]  # fmt: skip
    for j in range(m):
        place = _points(moved[0][:, j : j + 1], moved[1][:, j : j + 1], np.ones((n, 1)))
        scale = (shapes.neighbor_radius[:, j] * _EXPONENTIAL).astype(np.float32)
        k2 = (kx**2 + ky[:, None] ** 2)[None] * (scale**2)[:, None, None]
        components[:, 3 + j] = place / ((1 + k2) * np.sqrt(1 + k2))
    flux = np.concatenate([shapes.flux, shapes.neighbor_flux], axis=2)
    one = np.ones((n, 1))
    shift = _points(shapes.center_x[:, None], shapes.center_y[:, None], one)
    return Scenes(
        components=components.reshape(n, 3 + m, _BOX * _HALF),
        flux=flux.astype(np.float32),
        shift=shift.reshape(n, _BOX * _HALF),
    )


def fiber_fractions(scenes: Scenes, seeing: Seeing, diameter: float) -> Floats:
    """Which part of each component's light falls into a fiber on the galaxy.

    Args:
        scenes: `N`.
        seeing: that of r counts.
        diameter: of the fiber, arcsec.

    Returns:
        `N x C`, within the fiber of 1, neighbors as well.
    """
    weight = _aperture(diameter / PIXEL_ARCSEC / 2.0) * seeing.transfer([R_BAND])[:, 0]
    found = np.einsum("ncp,np->nc", scenes.components.real, weight, optimize=True)
    return np.asarray(np.clip(found, 0.0, 1.0))


def draw(scenes: Scenes, seeing: Seeing) -> Floats:
    """Images without noise, `N x B x H x W` nanomaggies per pixel."""
    n = len(scenes.flux)
    light = scenes.flux.astype(np.complex64) @ scenes.components
    light *= scenes.shift[:, None]
    light *= seeing.transfer(slice(None)) * _pixel()
    image = irfft2(
        light.reshape(n, len(BANDS), _BOX, _HALF), s=(_BOX, _BOX), overwrite_x=True
    )
    # The origin of the transform is the corner of the box: the middle of the stamp.
    half = SIDE // 2
    stamp = np.empty((n, len(BANDS), SIDE, SIDE), dtype=np.float32)
    stamp[:, :, half:, half:] = image[:, :, :half, :half]
    stamp[:, :, :half, half:] = image[:, :, -half:, :half]
    stamp[:, :, half:, :half] = image[:, :, :half, -half:]
    stamp[:, :, :half, :half] = image[:, :, -half:, -half:]
    return stamp


def observe_stamps(
    truth: Floats, settings: ImageSettings, generator: Generator
) -> Floats:
    """Images with the noise of sky and light, `N x B x H x W` nanomaggies.

    Args:
        truth: of `draw`.
        settings: how much.
        generator: of all chance.
    """
    n, b = truth.shape[:2]
    scatter = np.exp(generator.normal(0.0, settings.sky_noise_scatter, (n, 1)))
    sky = np.array(settings.sky_noise) * scatter
    gain = np.array(settings.electrons_per_nanomaggie)
    variance = np.maximum(truth, 0.0) / gain.astype(np.float32)[None, :, None, None]
    variance += (sky**2).astype(np.float32)[:, :, None, None]
    white = generator.standard_normal((n, b, SIDE + 1, SIDE + 1), dtype=np.float32)
    share = np.float32(_moving_average(settings.noise_correlation))
    noise = white[:, :, 1:] + share * white[:, :, :-1]
    noise = noise[..., 1:] + share * noise[..., :-1]
    noise *= np.sqrt(variance) / (1 + share**2)
    left = generator.normal(0.0, settings.sky_residual, (n, b)) * sky
    return np.asarray(truth + noise + left.astype(np.float32)[:, :, None, None])


def _moving_average(correlation: float) -> float:
    """The weight of a neighbor that gives this correlation: a / (1 + a^2)."""
    if correlation == 0.0:
        return 0.0
    return float((1 - np.sqrt(1 - 4 * correlation**2)) / (2 * correlation))


def _profile(shapes: Shapes, part: int, kx: Floats, ky: Floats) -> Floats:
    scale = shapes.radius[:, part] * (_SPHEROID if part == BULGE else _EXPONENTIAL)
    cos, sin = np.cos(shapes.angle), np.sin(shapes.angle)
    major, minor = scale**2, (scale * shapes.axis_ratio[:, part]) ** 2
    xx, yy, xy = (
        (major * cos**2 + minor * sin**2).astype(np.float32),
        (major * sin**2 + minor * cos**2).astype(np.float32),
        (2 * (major - minor) * sin * cos).astype(np.float32),
    )
    k2 = xx[:, None, None] * (kx**2)[None, None, :] + 1
    k2 = k2 + yy[:, None, None] * (ky**2)[None, :, None]
    k2 += xy[:, None, None] * (ky[:, None] * kx[None, :])[None]
    root = np.sqrt(k2)
    return np.asarray(1 / root if part == BULGE else 1 / (k2 * root), dtype=np.float32)


def _smooth_share(shapes: Shapes) -> Floats:
    left = 1.0 - shapes.clump_flux.sum(axis=1)
    return np.asarray(left.astype(np.float32)[:, None, None])


def _points(
    x: NDArray[np.float64], y: NDArray[np.float64], flux: NDArray[np.float64]
) -> Complex:
    """Points at `N x n` places, `N x 2H x (W + 1)`."""
    kx, ky = _frequencies()
    along_x = np.exp(-1j * (x[:, :, None] * kx).astype(np.float32))
    along_y = np.exp(-1j * (y[:, :, None] * ky).astype(np.float32))
    along_y = along_y * flux.astype(np.float32)[:, :, None]
    points: Complex = along_y.astype(np.complex64).transpose(0, 2, 1) @ along_x.astype(
        np.complex64
    )
    return points


def _gaussian(sigma: NDArray[np.float64]) -> Floats:
    """`N x B x 2H x (W + 1)`."""
    kx, ky = _frequencies()
    minus_half = (-0.5 * sigma**2).astype(np.float32)[:, :, None]
    along_x, along_y = np.exp(minus_half * kx**2), np.exp(minus_half * ky**2)
    return np.asarray(along_y[..., :, None] * along_x[..., None, :])


@cache
def _frequencies() -> tuple[Floats, Floats]:
    """`W + 1` and `2H` radians per pixel."""
    kx = 2.0 * np.pi * np.fft.rfftfreq(_BOX)
    ky = 2.0 * np.pi * np.fft.fftfreq(_BOX)
    return kx.astype(np.float32), ky.astype(np.float32)


@cache
def _pixel() -> Floats:
    """What summing over a pixel does to the light."""
    kx, ky = _frequencies()
    square = np.sinc(ky / (2 * np.pi))[:, None] * np.sinc(kx / (2 * np.pi))[None, :]
    return np.asarray(square.astype(np.float32).ravel())


@cache
def _aperture(radius: float) -> Floats:
    """Weights of the transforms whose sum is the light within a radius (pixels)."""
    kx, ky = _frequencies()
    k = np.hypot(kx[None, :], ky[:, None]).astype(np.float64) * radius
    disk = np.full(k.shape, 0.5)
    np.divide(j1(k), k, out=disk, where=k > 0)
    twice = np.full(_HALF, 2.0)  # what the half plane leaves out is its mirror
    twice[[0, -1]] = 1.0
    weights = 2.0 * np.pi * radius**2 * disk * twice / _BOX**2
    return np.asarray(weights.astype(np.float32).ravel())
