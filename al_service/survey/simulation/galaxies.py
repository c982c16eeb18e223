"""Simulated galaxies as they are: how bright, how massive, how many stars they form."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from al_service.survey.magnitudes import ZERO_POINT
from al_service.survey.simulation.anchors import Anchors
from al_service.survey.simulation.settings import StarFormationSettings
from al_service.survey.simulation.starlight import (
    dilution,
    flux_table,
    remaining_mass,
)

U_BAND: Final = 0
R_BAND: Final = 2

SLOWEST: Final = -13.0
"""log sSFR (1/yr): below, no catalog can tell."""

FASTEST: Final = -8.4
"""A starburst doubles its stars in a quarter of a gigayear."""

MASSIVE: Final = 11.5
"""log10 solar masses against which the slope with mass is meant."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Galaxies:
    """`N` galaxies as they are."""

    anchors: Anchors
    """`N` real galaxies that they are made of, perturbed where used again."""
    flux: Floats
    """`N x B` nanomaggies that arrive, behind the dust of the Milky Way."""
    color: Floats
    """`N` rest-frame u - r."""
    magnitude: Floats
    """`N` absolute magnitude in r, H0 = 70."""
    log_mass: Floats
    """`N` log10 solar masses of stars."""
    star_forming: NDArray[np.bool_]
    """`N`."""
    log_rate: Floats
    """`N` log10 solar masses a year: all stars that form, inside the fiber and out."""

    @property
    def log_specific_rate(self) -> Floats:
        """`N` log10 per year."""
        return np.asarray(self.log_rate - self.log_mass)

    @property
    def redshift(self) -> Floats:
        """`N`."""
        return self.anchors.redshift

    def __len__(self) -> int:
        return len(self.log_rate)


def make_galaxies(
    anchors: Anchors, settings: StarFormationSettings, generator: Generator
) -> Galaxies:
    """Give galaxies their star formation.

    Args:
        anchors: `N` real galaxies.
        settings: how it follows from color.
        generator: of all chance.
    """
    template = np.einsum("nk,nkb->nb", anchors.weights, flux_table(anchors.redshift))
    dimmed = anchors.residual - np.log(10.0) * 0.4 * anchors.extinction
    rest = np.einsum("nk,nkb->nb", anchors.weights, flux_table(0.0 * anchors.redshift))
    far = dilution(anchors.redshift)
    color = -2.5 * np.log10(rest[:, U_BAND] / rest[:, R_BAND])
    log_mass = np.log10(anchors.weights @ remaining_mass() / far)
    forming, specific = specific_rates(color, log_mass, settings, generator)
    return Galaxies(
        anchors=anchors,
        flux=template * np.exp(dimmed),
        color=color,
        magnitude=ZERO_POINT - 2.5 * np.log10(rest[:, R_BAND] / far),
        log_mass=log_mass,
        star_forming=forming,
        log_rate=specific + log_mass,
    )


def specific_rates(
    color: Floats,
    log_mass: Floats,
    settings: StarFormationSettings,
    generator: Generator,
) -> tuple[NDArray[np.bool_], Floats]:
    """Which galaxies form stars, and log sSFR (1/yr) of all.

    Args:
        color: `N` rest-frame u - r.
        log_mass: `N` log10 solar masses of stars.
        settings: how both follow.
        generator: of all chance.
    """
    n = len(color)
    width = settings.half_forms_stars_width
    chance = 1.0 / (1.0 + np.exp((color - settings.half_forms_stars) / width))
    forming = generator.random(n) < chance
    sequence = np.interp(color, settings.color, settings.log_specific_rate)
    sequence = sequence + settings.mass_slope * (log_mass - MASSIVE)
    sequence = sequence + generator.normal(0.0, settings.scatter, n)
    passive = settings.passive_log_specific_rate + settings.passive_slope * (
        color - 2.5
    )
    passive = passive + generator.normal(0.0, settings.passive_scatter, n)
    specific = np.where(forming, sequence, passive)
    return forming, np.clip(specific, SLOWEST, FASTEST)
