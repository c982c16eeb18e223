"""What surveys hold besides galaxies: empty sky, trails, bright stars; and gaps."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from al_service.survey.images.stamp import SIDE
from al_service.survey.simulation.settings import GapSettings

_TRAIL_WIDTH: Final = 1.6
"""Pixels, standard deviation: a satellite out of focus."""

_BLEED_WIDTH: Final = 2.0
"""Pixels: saturated columns."""

_BRIGHT: Final = (50.0, 3000.0)
"""Nanomaggies of a trail over its length or of a star, log-uniform."""

Floats = NDArray[np.float32]


class Kind(StrEnum):
    """What stands at a place of the catalog."""

    GALAXY = "galaxy"  # what one hopes for
    SKY = "sky"  # nothing at all
    TRAIL = "trail"  # a satellite or airplane, taken for a galaxy
    STAR = "star"  # a saturated star whose halo was taken for a galaxy


JUNK: Final = (Kind.SKY, Kind.TRAIL, Kind.STAR)


@dataclass(frozen=True)
class Gaps:
    """What `N` objects are, and what is known of them."""

    kind: NDArray[np.str_]
    """`N` values of `Kind`."""
    has_image: NDArray[np.bool_]
    has_spectrum: NDArray[np.bool_]
    has_photometry: NDArray[np.bool_]
    has_redshift: NDArray[np.bool_]
    """`N`, whether its redshift is known."""
    has_star_formation: NDArray[np.bool_]
    """`N`, whether its star formation is known."""

    @property
    def junk(self) -> NDArray[np.bool_]:
        """`N`."""
        return np.asarray(self.kind != Kind.GALAXY.value)


def draw_gaps(n: int, settings: GapSettings, generator: Generator) -> Gaps:
    """Draw what is missing.

    An object without any measurement would be nothing that could be asked for: it
    keeps its photometry.
    """
    chance = generator.random((6, n))
    kind = np.full(n, Kind.GALAXY.value)
    junk = chance[0] < settings.junk
    kind[junk] = generator.choice([one.value for one in JUNK], int(junk.sum()))
    image = chance[1] >= settings.without_image
    spectrum = chance[2] >= settings.without_spectrum
    photometry = chance[3] >= settings.without_photometry
    labeled = (chance[4] >= settings.without_labels) & ~junk
    return Gaps(
        kind=kind,
        has_image=image,
        has_spectrum=spectrum,
        has_photometry=photometry | ~(image | spectrum),
        has_redshift=labeled,
        has_star_formation=labeled & (chance[5] >= settings.without_star_formation),
    )


def spoil_images(images: Floats, kind: NDArray[np.str_], generator: Generator) -> None:
    """Put junk in place of galaxies, in images without noise.

    Args:
        images: `N x B x H x W` nanomaggies, changed in place.
        kind: `N` values of `Kind`.
        generator: of all chance.
    """
    draw = {Kind.SKY.value: _nothing, Kind.TRAIL.value: _trail, Kind.STAR.value: _star}
    for i in np.flatnonzero(kind != Kind.GALAXY.value):
        bands = generator.lognormal(0.0, 0.3, (images.shape[1], 1, 1))
        images[i] = bands * draw[str(kind[i])](generator)


def _nothing(generator: Generator) -> NDArray[np.float64]:
    del generator
    return np.zeros((SIDE, SIDE))


def _trail(generator: Generator) -> NDArray[np.float64]:
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2.0
    turn = generator.uniform(0.0, np.pi)
    away = x * np.sin(turn) - y * np.cos(turn) + generator.uniform(-6.0, 6.0)
    return np.asarray(_brightness(generator) * _ridge(away, _TRAIL_WIDTH) / SIDE)


def _star(generator: Generator) -> NDArray[np.float64]:
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2.0
    x0, y0 = generator.uniform(-20.0, 20.0, 2)
    flux = 10.0 * _brightness(generator)
    # A Moffat profile with the wings of SDSS (Racine 1996): power-law halo.
    halo = (1.0 + ((x - x0) ** 2 + (y - y0) ** 2) / 9.0) ** -1.6
    return np.asarray(flux * (halo / halo.sum() + _ridge(x - x0, _BLEED_WIDTH) / 2e3))


def _ridge(away: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    return np.asarray(np.exp(-0.5 * (away / width) ** 2) / (width * np.sqrt(2 * np.pi)))


def _brightness(generator: Generator) -> float:
    low, high = np.log(_BRIGHT)
    return float(np.exp(generator.uniform(low, high)))
