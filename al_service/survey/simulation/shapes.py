"""What galaxies look like: bulge, disk, young disk with clumps; and their neighbors."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from al_service.survey.images.stamp import PIXEL_ARCSEC, SIDE
from al_service.survey.magnitudes import ZERO_POINT
from al_service.survey.photometry_columns import BANDS
from al_service.survey.simulation.galaxies import Galaxies
from al_service.survey.simulation.settings import ShapeSettings
from al_service.survey.simulation.starlight import angular_scale

MOST_NEIGHBORS: Final = 2
"""Drawn in one stamp: more are rare in 25"."""

NEIGHBOR_LOG_RADIUS: Final = (0.18, 0.18)
"""log10 pixels, mean and scatter: half-light radii of 0.6" of galaxies at r = 20."""

SMALLEST_RADIUS: Final = 0.5
"""Pixels: a fifth of the seeing, no different from a point."""

BULGE, DISK, YOUNG = 0, 1, 2
"""Components of a galaxy, in the order of every array `N x 3`."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Shapes:
    """`N` galaxies on their stamps; lengths in pixels, angles in radians."""

    radius: Floats
    """`N x 3` half-light radii along the major axis."""
    axis_ratio: Floats
    """`N x 3`."""
    angle: Floats
    """`N` position angle of the major axis."""
    flux: Floats
    """`N x B x 3` nanomaggies: what bulge, disk and young disk have of the galaxy."""
    clump_flux: Floats
    """`N x n` shares of the young light, 0 for no clump; the rest is smooth."""
    clump_x: Floats
    """`N x n` from the center."""
    clump_y: Floats
    """`N x n`."""
    center_x: Floats
    """`N` from the middle of the stamp."""
    center_y: Floats
    """`N`."""
    neighbor_flux: Floats
    """`N x B x m` nanomaggies, 0 for none."""
    neighbor_x: Floats
    """`N x m` from the middle of the stamp."""
    neighbor_y: Floats
    """`N x m`."""
    neighbor_radius: Floats
    """`N x m` half-light radii; 0 for stars."""

    def take(self, rows: slice) -> "Shapes":
        """Some of the galaxies."""
        parts = {name: getattr(self, name) for name in Shapes.__dataclass_fields__}
        return Shapes(**{name: part[rows] for name, part in parts.items()})

    @property
    def bulge_share(self) -> Floats:
        """`N x B` share of the galaxy's light that the bulge has."""
        return np.asarray(self.flux[:, :, BULGE] / self.flux.sum(axis=2))


def make_shapes(
    galaxies: Galaxies,
    settings: ShapeSettings,
    generator: Generator,
    *,
    centering: float,
) -> Shapes:
    """Draw what galaxies look like.

    Args:
        galaxies: `N`.
        settings: how shapes follow from luminosity and color.
        generator: of all chance.
        centering: how far from the middle of the stamp a galaxy may lie, pixels.
    """
    n = len(galaxies)
    old_bulge = _logistic(
        (galaxies.color - settings.half_bulge) / settings.half_bulge_width
        + generator.normal(0.0, settings.bulge_scatter, n)
    )
    radius = _radii(galaxies, old_bulge, settings, generator)
    cos_tilt = generator.random(n)
    thick = settings.disk_thickness
    disk_ratio = np.sqrt(cos_tilt**2 * (1.0 - thick**2) + thick**2)
    low, high = settings.bulge_roundness
    round_ratio = low + (high - low) * generator.random(n)
    ratio = np.stack([np.maximum(round_ratio, disk_ratio), disk_ratio, disk_ratio], 1)
    angle = generator.uniform(0.0, np.pi, n)
    clumps = _clumps(radius[:, YOUNG], disk_ratio, angle, settings, generator)
    neighbors = _neighbors(n, settings, generator)
    return Shapes(
        radius=radius,
        axis_ratio=ratio,
        angle=angle,
        flux=_component_fluxes(galaxies, old_bulge, settings),
        clump_flux=clumps[0],
        clump_x=clumps[1],
        clump_y=clumps[2],
        center_x=generator.uniform(-centering, centering, n),
        center_y=generator.uniform(-centering, centering, n),
        neighbor_flux=neighbors[0],
        neighbor_x=neighbors[1],
        neighbor_y=neighbors[2],
        neighbor_radius=neighbors[3],
    )


def _radii(
    galaxies: Galaxies, old_bulge: Floats, settings: ShapeSettings, generator: Generator
) -> Floats:
    n = len(galaxies)
    faint = galaxies.magnitude + 20.5
    disk = settings.disk_log_radius + settings.disk_slope * faint
    disk = disk + generator.normal(0.0, settings.disk_scatter, n)
    spheroid = settings.spheroid_log_radius + settings.spheroid_slope * faint
    spheroid = spheroid + generator.normal(0.0, settings.spheroid_scatter, n)
    within = disk + settings.bulge_log_size
    within = within + generator.normal(0.0, settings.bulge_log_size_scatter, n)
    # A galaxy that is all bulge has the size of a spheroid, one in a disk is smaller.
    bulge = within + (spheroid - within) * old_bulge**2
    young = disk + settings.young_log_size
    young = young + generator.normal(0.0, settings.young_log_size_scatter, n)
    kpc = 10.0 ** np.stack([bulge, disk, young], axis=1)
    pixels = kpc / angular_scale(galaxies.redshift)[:, None] / PIXEL_ARCSEC
    return np.clip(pixels, SMALLEST_RADIUS, settings.largest_radius_pixels)


def _component_fluxes(
    galaxies: Galaxies, old_bulge: Floats, settings: ShapeSettings
) -> Floats:
    """Bulge, disk and young disk share the light of every band."""
    young_odds = 10.0 ** (galaxies.log_specific_rate - settings.half_young)
    by_color = 10.0 ** (-0.4 * np.array(settings.young_color))
    young = _of_odds(young_odds[:, None] * by_color)
    bulge_odds = old_bulge / np.maximum(1.0 - old_bulge, 1e-6)
    by_color = 10.0 ** (-0.4 * np.array(settings.bulge_color))
    bulge = _of_odds(bulge_odds[:, None] * by_color)
    shares = np.stack([(1 - young) * bulge, (1 - young) * (1 - bulge), young], axis=2)
    return np.asarray(galaxies.flux[:, :, None] * shares)


def _clumps(
    radius: Floats,
    ratio: Floats,
    angle: Floats,
    settings: ShapeSettings,
    generator: Generator,
) -> tuple[Floats, Floats, Floats]:
    n, most = len(radius), settings.most_clumps
    low, high = settings.clump_share
    share = generator.uniform(low, high, n)
    there = np.arange(most) < generator.integers(1, most + 1, n)[:, None]
    bright = generator.exponential(1.0, (n, most)) * there
    bright *= (share / np.maximum(bright.sum(axis=1), 1e-9))[:, None]
    # An exponential disk: its radii are gamma-distributed with the scale r50 / 1.678.
    away = generator.gamma(2.0, 1.0, (n, most)) * (radius / 1.678)[:, None]
    turn = generator.uniform(0.0, 2.0 * np.pi, (n, most))
    major, minor = away * np.cos(turn), away * np.sin(turn) * ratio[:, None]
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    return bright, major * cos - minor * sin, major * sin + minor * cos


def _neighbors(
    n: int, settings: ShapeSettings, generator: Generator
) -> tuple[Floats, Floats, Floats, Floats]:
    m = MOST_NEIGHBORS
    there = np.arange(m) < generator.poisson(settings.neighbors, n)[:, None]
    # Counts rise as 10^(slope m) between the limits: the inverse of their integral.
    slope = settings.neighbor_slope
    low, high = 10.0 ** (
        slope * np.array([settings.brightest_neighbor, settings.faintest_neighbor])
    )
    r = np.log10(low + (high - low) * generator.random((n, m))) / slope
    star = generator.random((n, m)) < 0.3
    gr = np.where(star, generator.normal(0.9, 0.4, (n, m)), 0.8) + generator.normal(
        0.0, 0.25, (n, m)
    )
    colors = np.array(
        [1.9, 1.0, 0.0, -0.45, -0.75]
    )  # u - r ... z - r per unit of g - r
    magnitude = r[:, None, :] + colors[None, : len(BANDS), None] * gr[:, None, :]
    flux = 10.0 ** (-0.4 * (magnitude - ZERO_POINT)) * there[:, None, :]
    half = SIDE / 2.0
    x, y = generator.uniform(-half, half, (2, n, m))
    size = np.where(star, 0.0, 10.0 ** generator.normal(*NEIGHBOR_LOG_RADIUS, (n, m)))
    return flux, x, y, size


def _logistic(x: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-x)))


def _of_odds(odds: Floats) -> Floats:
    return np.asarray(odds / (1.0 + odds))
