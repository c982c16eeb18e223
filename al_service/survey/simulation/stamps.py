"""Stamps of galaxies without noise, and what of their light falls into a fiber.

A galaxy is drawn in Fourier space: components once, then one inverse transform per
band. The light within the fiber comes from the same transforms, so that images and
spectra agree.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from al_service.survey.images.stamp import PIXEL_ARCSEC, SIDE
from al_service.survey.photometry_columns import BANDS
from al_service.survey.simulation import fourier
from al_service.survey.simulation.fourier import BOX, EXPONENTIAL, SPHEROID, U
from al_service.survey.simulation.galaxies import R_BAND
from al_service.survey.simulation.settings import ImageSettings
from al_service.survey.simulation.shapes import (
    BULGE,
    DISK,
    MOST_NEIGHBORS,
    YOUNG,
    Shapes,
)

_TOGETHER: Final = 4
"""Stamps drawn at a time: their transforms stay in the cache of one core."""

_NEIGHBORS: Final = 3
"""Place of the first neighbor among the components."""

_N_COMPONENTS: Final = _NEIGHBORS + MOST_NEIGHBORS

_SIGMA_PER_FWHM: Final = 1.0 / 2.3548

Floats = NDArray[np.float32]
Complex = NDArray[np.complex64]


@dataclass(frozen=True)
class Drawn:
    """`N` stamps as light arrives on them."""

    image: Floats
    """`N x B x H x W` nanomaggies per pixel."""
    in_fiber: NDArray[np.float64]
    """`N x 3` of the light of bulge, disk and young disk, within the fiber of 1."""


def draw_seeing(
    n: int, settings: ImageSettings, generator: Generator
) -> NDArray[np.float64]:
    """Seeing of `N` fields: one that is good in one band is good in all.

    Returns:
        `N x B` standard deviations of the narrow part of the point spread, pixels.
    """
    scatter = settings.seeing_scatter
    common = generator.normal(0.0, scatter, (n, 1))
    own = generator.normal(0.0, 0.3 * scatter, (n, len(BANDS)))
    width = np.array(settings.seeing) * np.exp(common + own)
    return np.asarray(width * _SIGMA_PER_FWHM / PIXEL_ARCSEC)


def draw_stamps(
    shapes: Shapes,
    seeing: NDArray[np.float64],
    settings: ImageSettings,
    *,
    fiber_arcsec: float,
) -> Drawn:
    """Draw galaxies with their neighbors.

    Args:
        shapes: `N`.
        seeing: of `draw_seeing`.
        settings: of the point spread.
        fiber_arcsec: diameter of the fiber, which stands on the galaxy's center.
    """
    n = len(seeing)
    image = np.empty((n, len(BANDS), SIDE, SIDE), dtype=np.float32)
    in_fiber = np.empty((n, _NEIGHBORS), dtype=np.float64)
    within = fourier.aperture(fiber_arcsec / PIXEL_ARCSEC / 2.0)
    for begin in range(0, n, _TOGETHER):
        rows = slice(begin, begin + _TOGETHER)
        some = shapes.take(rows)
        parts = _components(some)
        spread = fourier.point_spread(
            seeing[rows], settings.wing_share, settings.wing_width
        )
        in_fiber[rows] = _light_in(parts[:, :_NEIGHBORS], spread[:, R_BAND] * within)
        image[rows] = fourier.images_of(_observed(parts, some, spread))
    return Drawn(image, np.clip(in_fiber, 0.0, 1.0))


def _components(shapes: Shapes) -> Complex:
    """`N x C x V x U` of unit flux around the galaxy's center, without seeing."""
    n = len(shapes.angle)
    parts = np.zeros((n, _N_COMPONENTS, BOX, U), dtype=np.complex64)
    forms = [
        fourier.ellipse(
            shapes.radius[:, part] * (SPHEROID if part == BULGE else EXPONENTIAL),
            shapes.axis_ratio[:, part],
            shapes.angle,
        )
        for part in (BULGE, DISK, YOUNG)
    ]
    parts.real[:, BULGE] = fourier.spheroid(forms[BULGE])
    parts.real[:, DISK] = fourier.exponential(forms[DISK])
    smooth = 1.0 - shapes.clump_flux.sum(axis=1)
    clumps = fourier.points(shapes.clump_x, shapes.clump_y, shapes.clump_flux)
    clumps.real += fourier.exponential(forms[YOUNG]) * _single(smooth)
    parts[:, YOUNG] = clumps
    one = np.ones((n, 1))
    for j in range(MOST_NEIGHBORS):
        if not shapes.neighbor_flux[:, :, j].any():
            continue
        x = shapes.neighbor_x[:, j] - shapes.center_x
        y = shapes.neighbor_y[:, j] - shapes.center_y
        scale = shapes.neighbor_radius[:, j] * EXPONENTIAL
        form = fourier.ellipse(scale, one[:, 0], 0.0 * scale)
        place = fourier.points(x[:, None], y[:, None], one)
        parts[:, _NEIGHBORS + j] = place * fourier.exponential(form)
    return parts


def _observed(parts: Complex, shapes: Shapes, spread: Floats) -> Complex:
    """`N x B x V x U`: every band's light, moved to its place and blurred."""
    n, b = shapes.flux.shape[:2]
    flux = np.concatenate([shapes.flux, shapes.neighbor_flux], axis=2)
    # Fluxes are real: a product of real matrices, half of the complex one's work.
    pairs = parts.view(np.float32).reshape(n, _N_COMPONENTS, -1)
    light = flux.astype(np.float32) @ pairs
    arriving = light.view(np.complex64).reshape(n, b, BOX, U)
    arriving.real *= spread
    arriving.imag *= spread
    one = np.ones((n, 1))
    center = fourier.points(shapes.center_x[:, None], shapes.center_y[:, None], one)
    arriving *= center[:, None]
    return np.asarray(arriving)


def _light_in(parts: Complex, weights: Floats) -> Floats:
    """Of components `N x C x V x U`, the light that `N x V x U` weights select."""
    n, c = parts.shape[:2]
    real = np.ascontiguousarray(parts.real).reshape(n, c, -1)
    return np.asarray((real @ weights.reshape(n, -1, 1))[..., 0])


def _single(numbers: NDArray[np.float64]) -> Floats:
    return numbers.astype(np.float32)[:, None, None]
