"""Emission lines of ionized gas: where they lie, and how bright the gas makes them."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from al_service.survey.simulation.settings import LineSettings

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class GasLine:
    """A line, as a multiple of what sets its brightness."""

    wavelength: float
    """Vacuum, A (NIST Atomic Spectra Database)."""
    driver: str
    """A key of `line_ratios`."""
    share: float
    """Of the driver's flux."""


LINES: Final[tuple[GasLine, ...]] = (
    GasLine(6564.61, "halpha", 1.0),
    # Case B at 10,000 K (Osterbrock & Ferland 2006, table 4.4), against H alpha.
    GasLine(4862.68, "halpha", 1.0 / 2.86),
    GasLine(4341.68, "halpha", 0.468 / 2.86),
    GasLine(4102.89, "halpha", 0.259 / 2.86),
    GasLine(3971.20, "halpha", 0.159 / 2.86),
    # Ratios of 1 to 2.98 and 1 to 3.05: Storey & Zeippen 2000.
    GasLine(6585.27, "nitrogen", 1.0),
    GasLine(6549.86, "nitrogen", 1.0 / 3.05),
    GasLine(5008.24, "oxygen_iii", 1.0),
    GasLine(4960.30, "oxygen_iii", 1.0 / 2.98),
    GasLine(3869.86, "oxygen_iii", 0.08),
    GasLine(3727.09, "oxygen_ii", 0.41),
    GasLine(3729.88, "oxygen_ii", 0.59),
    GasLine(6718.29, "sulfur", 0.57),
    GasLine(6732.67, "sulfur", 0.43),
    GasLine(6302.05, "sulfur", 0.12),
)
"""What shows in galaxies of the main sample."""

_WAVELENGTHS: Final = np.array([line.wavelength for line in LINES])
_HALPHA: Final = LINES[0].wavelength
_BALMER_IN_VACUUM: Final = 2.86


def halpha_attenuation(
    log_mass: Floats, settings: LineSettings, generator: Generator
) -> Floats:
    """Dust before H alpha in mag, `N` (Garn & Best 2010, MNRAS 409, 421, eq. 13).

    Args:
        log_mass: `N` log10 solar masses of stars.
        settings: the scatter.
        generator: of all chance.
    """
    x = np.clip(log_mass - 10.0, -1.5, 1.5)  # the range of their sample
    mean = 0.91 + 0.77 * x + 0.11 * x**2 - 0.09 * x**3
    scattered = mean + generator.normal(0.0, settings.dust_scatter, len(log_mass))
    return np.asarray(np.maximum(scattered, 0.0))


def oxygen_abundance(
    log_mass: Floats, settings: LineSettings, generator: Generator
) -> Floats:
    """12 + log(O/H), `N` (Curti et al. 2020, MNRAS 491, 944, eq. 2 and table 4)."""
    mean = 8.793 - 0.28 / 1.2 * np.log10(1.0 + 10.0 ** (-1.2 * (log_mass - 10.02)))
    spread = settings.metallicity_scatter
    return np.asarray(mean + generator.normal(0.0, spread, len(log_mass)))


def line_ratios(
    abundance: Floats,
    active: NDArray[np.bool_],
    settings: LineSettings,
    generator: Generator,
) -> dict[str, Floats]:
    """Fluxes before dust relative to H alpha, by driver.

    [N II] and [O III] follow the abundance as Pettini & Pagel 2004 (MNRAS 348, L59)
    calibrated N2 and O3N2; an active nucleus raises both.

    Args:
        abundance: `N` 12 + log(O/H).
        active: `N` whether a nucleus, not young stars, ionizes the gas.
        settings: the scatter.
        generator: of all chance.
    """
    spread = settings.ratio_scatter

    def scatter() -> Floats:
        return generator.normal(0.0, spread, len(abundance))

    nitrogen = np.minimum((abundance - 8.90) / 0.57, -0.25) + scatter()
    oxygen = (8.73 - abundance) / 0.32 + np.minimum((abundance - 8.90) / 0.57, -0.25)
    oxygen = np.clip(oxygen, -1.0, 0.75) + scatter()
    nitrogen = np.where(active, 0.05 + 1.5 * scatter(), nitrogen)
    oxygen = np.where(active, 0.45 + 2.5 * scatter(), oxygen)
    return {
        "halpha": np.ones(len(abundance)),
        "nitrogen": 10.0**nitrogen,
        "oxygen_iii": 10.0**oxygen / _BALMER_IN_VACUUM,
        "oxygen_ii": 10.0 ** (0.45 - 0.8 * (abundance - 8.5) + scatter())
        / _BALMER_IN_VACUUM,
        "sulfur": 10.0 ** (-0.45 + 0.25 * active + scatter()),
    }


def line_fluxes(
    halpha: Floats,
    ratios: dict[str, Floats],
    attenuation: Floats,
    settings: LineSettings,
) -> Floats:
    """What arrives of every line, in the unit of `halpha`.

    Args:
        halpha: `N` fluxes of H alpha before dust.
        ratios: of `line_ratios`.
        attenuation: `N` magnitudes at H alpha.
        settings: how dust depends on wavelength.

    Returns:
        `N x n` fluxes of the lines in `LINES`.
    """
    intrinsic = np.stack([ratios[one.driver] * one.share for one in LINES], axis=1)
    curve = (_WAVELENGTHS / _HALPHA) ** -settings.dust_exponent
    dimmed = 10.0 ** (-0.4 * attenuation[:, None] * curve)
    return np.asarray(halpha[:, None] * intrinsic * dimmed)


def line_wavelengths() -> Floats:
    """`n` vacuum wavelengths of `LINES`, A."""
    return _WAVELENGTHS
