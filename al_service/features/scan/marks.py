"""Lines that an inspector looks for, by their names, where a redshift puts them."""

from dataclasses import dataclass
from typing import Final

from al_service.features.scan.templates import SpectralClass

EMISSION: Final = (
    ("Ly alpha", 1215.67),
    ("Si IV", 1398.3),
    ("C IV", 1549.5),
    ("C III]", 1908.7),
    ("Mg II", 2799.1),
    ("[O II]", 3728.6),
    ("[Ne III]", 3869.86),
    ("H delta", 4102.89),
    ("H gamma", 4341.68),
    ("H beta", 4862.68),
    ("[O III]", 4960.30),
    ("[O III]", 5008.24),
    ("[N II]", 6549.86),
    ("H alpha", 6564.61),
    ("[N II]", 6585.27),
    ("[S II]", 6718.29),
    ("[S II]", 6732.67),
)
"""Name and rest wavelength, vacuum A: those of `lines`; blends by their middle, as in
https://classic.sdss.org/dr7/products/spectra/vacwavelength.html."""

ABSORPTION: Final = (
    ("Ca K", 3934.78),
    ("Ca H", 3969.59),
    ("G", 4305.6),
    ("Mg b", 5176.0),
    ("Na D", 5894.6),
)

STELLAR: Final = (
    ("H delta", 4102.89),
    ("H gamma", 4341.68),
    ("H beta", 4862.68),
    ("H alpha", 6564.61),
    ("Ca II", 8500.4),
    ("Ca II", 8544.4),
    ("Ca II", 8664.5),
)


@dataclass(frozen=True)
class MarkedLine:
    """One line of a spectrum."""

    name: str
    wavelength_rest: float
    """Vacuum, A."""
    wavelength_observed: float
    """Vacuum, A."""


def marked_lines(
    spectral_class: SpectralClass, z: float, *, bluest: float, reddest: float
) -> tuple[MarkedLine, ...]:
    """The lines of a class that a redshift puts into a spectrum, blue to red.

    Args:
        spectral_class: of a candidate.
        z: of the candidate.
        bluest: wavelength of the first pixel, A.
        reddest: wavelength of the last one, A.
    """
    named = {
        SpectralClass.GALAXY: EMISSION + ABSORPTION,
        SpectralClass.QSO: EMISSION,
        SpectralClass.STAR: ABSORPTION + STELLAR,
    }[spectral_class]
    return tuple(
        MarkedLine(name, rest, rest * (1.0 + z))
        for name, rest in sorted(named, key=lambda line: line[1])
        if bluest <= rest * (1.0 + z) <= reddest
    )
