"""Templates at rest on the survey's log-wavelength grid, with the continuum taken out.

Galaxies: the starlight of `kcorrect` and groups of nebular lines, fitted together.
Quasars: groups of broad lines and narrow ones. Stars: starlight of galaxies, which is
theirs, and absorption lines and bands of every class.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.features.scan import lines
from al_service.features.scan.continuum import without_continuum
from al_service.features.scan.profiles import (
    Floats,
    bands,
    emission,
    planck,
    starlight,
)
from al_service.survey.spectra.grid import LOGLAM_START, LOGLAM_STEP, N_PIXELS

GALAXY_LINE_WIDTH: Final = 115.0
"""km/s, standard deviation: 70 of the spectrograph with 90 of a galaxy."""

A_STAR_LINE: Final = 8.0
"""A, standard deviation of Balmer lines in stars of class A and F."""

WHITE_DWARF_LINE: Final = 28.0
"""A: pressure makes them this broad."""

HELIUM_LINE: Final = 5.0
"""A, standard deviation in stars of class B."""

QUASAR_SLOPE: Final = -1.56
"""Of flux per A with wavelength: frequency^-0.44 (Vanden Berk et al. 2001)."""

FOREST_TRANSMISSION: Final = {"ultraviolet": 0.6, "high ionization": 0.75}
"""Means at z = 3.2 and 2.6 (Faucher-Giguere et al. 2008, ApJ 681, 831): quasars at any
redshift are a sum of the two groups."""

GALAXY_REDSHIFTS: Final = (0.0020, 1.0)
"""From above the fastest stars to where the pipeline of BOSS ends."""

QUASAR_REDSHIFTS: Final = (0.05, 5.2)
"""Nearer ones are seen as galaxies; Ly alpha leaves the grid at 7."""

STAR_REDSHIFTS: Final = (-0.0035, 0.0035)
"""1000 km/s either way, twice what binds a star to the Milky Way."""


class SpectralClass(StrEnum):
    """What a spectrum is of, in the survey's words."""

    GALAXY = "GALAXY"
    QSO = "QSO"
    STAR = "STAR"


@dataclass(frozen=True)
class TemplateSet:
    """Templates of one class, and the redshifts to try."""

    spectral_class: SpectralClass
    flux: NDArray[np.float32]
    """`K x M`, high-passed, each of unit norm, binned by `bin_width`."""
    bin_width: int
    """Pixels of the survey per pixel here."""
    first_shift: int
    """Smallest redshift, in pixels here."""
    n_shifts: int

    @property
    def step(self) -> float:
        """dlog10(wavelength) of a pixel here."""
        return LOGLAM_STEP * self.bin_width

    def at_redshift(self, z: float) -> NDArray[np.float64]:
        """`K x L` templates where a redshift puts them, on the survey's grid."""
        last_shift = self.first_shift + self.n_shifts - 1
        shift = np.log10(1.0 + z) / LOGLAM_STEP
        # The middle of a pixel here lies between pixels of the survey.
        middle = (self.bin_width - 1) / 2.0
        place = (np.arange(N_PIXELS) - shift - middle) / self.bin_width + last_shift
        pixels = np.arange(self.flux.shape[1])
        return np.array([np.interp(place, pixels, flux) for flux in self.flux])

    def redshift(self, shift: NDArray[np.float64]) -> NDArray[np.float64]:
        """Redshifts of shifts counted from `first_shift`, in pixels here."""
        return np.asarray(10.0 ** (self.step * (self.first_shift + shift)) - 1.0)


@cache
def template_sets() -> tuple[TemplateSet, ...]:
    """The templates of every class; made once, in half a second."""
    return (_galaxies(), _quasars(), _stars())


@cache
def galaxies_with_broad_lines() -> TemplateSet:
    """Galaxies on the grid of their set, with a quasar's broad lines added."""
    grid = _Grid.spanning(*GALAXY_REDSHIFTS, bin_width=2)
    broad = _broad_lines(grid.wavelength)
    del broad["narrow"]  # galaxies have those
    seen = [shape for shape in broad.values() if np.ptp(shape) > 0]
    return grid.templates(
        SpectralClass.GALAXY, [*_galaxy_shapes(grid.wavelength), *seen]
    )


def _galaxies() -> TemplateSet:
    grid = _Grid.spanning(*GALAXY_REDSHIFTS, bin_width=2)
    return grid.templates(SpectralClass.GALAXY, _galaxy_shapes(grid.wavelength))


def _quasars() -> TemplateSet:
    grid = _Grid.spanning(*QUASAR_REDSHIFTS, bin_width=4)
    shapes = _broad_lines(grid.wavelength)
    # Ly alpha never comes without its forest: else it would explain any single bump.
    for name, transmission in FOREST_TRANSMISSION.items():
        continuum = (grid.wavelength / 3000.0) ** QUASAR_SLOPE
        shapes[name] = (continuum + shapes[name]) * np.where(
            grid.wavelength < lines.LYMAN_ALPHA, transmission, 1.0
        )
    return grid.templates(SpectralClass.QSO, list(shapes.values()))


def _galaxy_shapes(wavelength: Floats) -> list[Floats]:
    gas = [
        emission(wavelength, group, velocity=GALAXY_LINE_WIDTH)
        for group in lines.NEBULAR.values()
    ]
    return [*starlight(wavelength), *gas]


def _broad_lines(wavelength: Floats) -> dict[str, Floats]:
    # Equivalent widths become fluxes.
    continuum = (wavelength / 3000.0) ** QUASAR_SLOPE
    return {
        name: continuum * emission(wavelength, group)
        for name, group in lines.BROAD_LINES.items()
    }


def _stars() -> TemplateSet:
    grid = _Grid.spanning(*STAR_REDSHIFTS, bin_width=2)
    wave = grid.wavelength
    absorbed = [
        -planck(wave, 9000.0) * emission(wave, lines.BALMER_SERIES, width=A_STAR_LINE),
        -planck(wave, 12_000.0)
        * emission(wave, lines.BALMER_SERIES, width=WHITE_DWARF_LINE),
        -planck(wave, 15_000.0) * emission(wave, lines.HELIUM, width=HELIUM_LINE),
        -planck(wave, 6300.0) * emission(wave, lines.CALCIUM_AND_G_BAND),
        -planck(wave, 4500.0) * emission(wave, lines.METALS),
        -planck(wave, 3200.0) * bands(wave, lines.TITANIUM_OXIDE),
        -planck(wave, 3200.0) * emission(wave, lines.COOL_STAR_LINES),
        -planck(wave, 4000.0) * bands(wave, lines.SWAN),
    ]
    return grid.templates(SpectralClass.STAR, [*starlight(wave), *absorbed])


@dataclass(frozen=True)
class _Grid:
    bin_width: int
    first_shift: int
    last_shift: int

    @classmethod
    def spanning(cls, z_min: float, z_max: float, *, bin_width: int) -> "_Grid":
        step = LOGLAM_STEP * bin_width
        return cls(
            bin_width,
            round(np.log10(1.0 + z_min) / step),
            round(np.log10(1.0 + z_max) / step),
        )

    @property
    def wavelength(self) -> Floats:
        """At the survey's sampling, from the bluest to the reddest rest wavelength."""
        first = -self.last_shift * self.bin_width
        last = N_PIXELS - self.first_shift * self.bin_width
        return np.asarray(10.0 ** (LOGLAM_START + LOGLAM_STEP * np.arange(first, last)))

    def templates(
        self, spectral_class: SpectralClass, shapes: list[Floats]
    ) -> TemplateSet:
        flux = without_continuum(np.array(shapes))
        width = flux.shape[1] // self.bin_width
        binned = flux[:, : width * self.bin_width]
        binned = binned.reshape(len(flux), width, self.bin_width).mean(axis=2)
        binned /= np.linalg.norm(binned, axis=1, keepdims=True)
        return TemplateSet(
            spectral_class,
            binned.astype(np.float32),
            self.bin_width,
            self.first_shift,
            self.last_shift - self.first_shift + 1,
        )
