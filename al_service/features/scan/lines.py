"""Where lines and bands lie, and how strong they typically are.

Wavelengths are vacuum, in A. Nebular lines: NIST Atomic Spectra Database, as listed on
https://classic.sdss.org/dr7/products/spectra/vacwavelength.html. Quasar lines have
strengths and widths of the size that composites of SDSS quasars show (Vanden Berk et
al. 2001, AJ 122, 549), entered without the paper's table at hand. Strengths and widths
of stellar lines and bands are of no table: they were chosen to look like stars of their
class at the resolution of SDSS. What vouches for all of these numbers is that the scan
finds the classes and redshifts of real spectra that had no part in choosing them
(`tests/features/scan/test_scanning.py`).
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Line:
    """A line of Gaussian profile."""

    wavelength: float
    """Vacuum, A."""
    strength: float
    """Area, relative to the other lines of its group."""
    width: float = 0.0
    """Standard deviation in A; 0 where the group gives one velocity for all."""


@dataclass(frozen=True)
class Band:
    """A molecular band: sharp at its head, fading away to one side."""

    head: float
    """Vacuum wavelength of the head, A."""
    depth: float
    """At the head, relative to the other bands of its group."""
    fade: float
    """A over which the depth falls by e; negative where the band fades to the blue."""


NEBULAR: Final[dict[str, tuple[Line, ...]]] = {
    "hydrogen alpha": (Line(6564.61, 1.0),),
    # Case B at 10,000 K (Osterbrock & Ferland 2006, Table 4.4).
    "hydrogen": (
        Line(4862.68, 1.0),
        Line(4341.68, 0.47),
        Line(4102.89, 0.26),
        Line(3971.20, 0.16),
    ),
    "oxygen II": (Line(3727.09, 0.7), Line(3729.88, 1.0)),
    # Ratios of 1 to 2.98 and 1 to 3.05 are set by atomic physics (Storey & Zeippen
    # 2000); neon goes with doubly ionized oxygen.
    "oxygen III": (
        Line(5008.24, 2.98),
        Line(4960.30, 1.0),
        Line(3869.86, 0.25),
        Line(3968.59, 0.08),
    ),
    "nitrogen and sulfur II": (
        Line(6585.27, 3.05),
        Line(6549.86, 1.0),
        Line(6718.29, 1.4),
        Line(6732.67, 1.1),
        Line(6302.05, 0.25),
    ),
}
"""Emission of ionized gas: lines whose ratios hardly vary share a group."""

BROAD_LINES: Final[dict[str, tuple[Line, ...]]] = {
    "ultraviolet": (
        Line(1033.0, 10.0, 8.0),  # Ly beta and O VI
        Line(1215.7, 93.0, 19.5),  # Ly alpha
        Line(1240.1, 7.0, 8.0),  # N V
        Line(1305.4, 3.5, 6.0),  # O I, Si II
        Line(1398.3, 8.1, 14.3),  # Si IV, O IV]
        Line(1547.0, 23.8, 14.3),  # C IV, blueshifted as observed
        Line(1637.8, 3.0, 12.0),  # He II
        Line(1664.0, 2.0, 8.0),  # O III]
        Line(1857.0, 2.0, 8.0),  # Al III
        Line(1906.0, 21.2, 23.6),  # C III], Si III], Fe III
        Line(2326.0, 2.0, 18.0),  # C II]
        Line(2800.0, 32.3, 35.0),  # Mg II
    ),
    "high ionization": (
        Line(1215.7, 93.0, 19.5),
        Line(1240.1, 7.0, 8.0),
        Line(1398.3, 8.1, 14.3),
        Line(1547.0, 23.8, 14.3),
    ),
    "hydrogen": (
        Line(4102.9, 5.1, 18.6),
        Line(4341.7, 12.6, 20.3),
        Line(4570.0, 19.5, 61.7),  # Fe II blend
        Line(4862.7, 46.2, 40.4),
        Line(5306.0, 25.2, 54.8),  # Fe II blend
        Line(5877.0, 4.9, 23.5),  # He I
        Line(6564.6, 194.5, 47.4),
    ),
    "narrow": (
        Line(3426.8, 1.2, 4.0),  # [Ne V]
        Line(3728.5, 1.6, 3.4),
        Line(3869.9, 1.4, 5.3),
        Line(4960.3, 3.5, 4.0),
        Line(5008.2, 13.2, 6.0),
    ),
}
"""Emission of quasars: equivalent widths in A. Magnesium has no group of its own: free
of carbon it would explain any single bump."""

LYMAN_ALPHA: Final = 1215.67

BALMER_SERIES: Final = (
    Line(6564.61, 0.8),
    Line(4862.68, 1.0),
    Line(4341.68, 1.0),
    Line(4102.89, 1.0),
    Line(3971.20, 0.9),
    Line(3890.15, 0.75),
    Line(3836.47, 0.6),
    Line(3798.98, 0.45),
    Line(3771.70, 0.3),
)
"""Absorption of hot stars, of about equal strength down to the series' end."""

HELIUM: Final = (
    Line(4027.3, 0.8),
    Line(4472.7, 1.0),
    Line(4923.3, 0.4),
    Line(5017.1, 0.4),
    Line(5877.2, 1.0),
    Line(6680.0, 0.6),
)
"""He I in absorption: stars of class B."""

CALCIUM_AND_G_BAND: Final = (
    Line(3934.78, 8.0, 6.0),  # Ca II K
    Line(3969.59, 6.5, 6.0),  # Ca II H
    Line(4227.92, 1.0, 3.0),  # Ca I
    Line(4305.6, 5.0, 9.0),  # CH, the G band
    Line(4384.8, 1.2, 3.5),  # Fe I
    Line(4046.9, 0.8, 3.0),  # Fe I
)
"""Metals in the blue, stars of class F and later."""

METALS: Final = (
    Line(5103.0, 1.5, 25.0),  # MgH
    Line(5168.7, 1.2, 3.0),  # Mg I b
    Line(5174.1, 1.6, 3.0),
    Line(5185.0, 1.8, 3.0),
    Line(5271.0, 1.8, 4.0),  # Fe I
    Line(5329.5, 1.2, 3.0),  # Fe I
    Line(5891.6, 1.5, 3.0),  # Na I D
    Line(5897.6, 1.2, 3.0),
    Line(8500.4, 1.2, 3.0),  # Ca II
    Line(8544.4, 3.0, 3.5),
    Line(8664.5, 2.4, 3.5),
)
"""Metals in the red: stars of class G and K."""

TITANIUM_OXIDE: Final = (
    Band(4762.0, 0.20, 80.0),
    Band(4956.0, 0.30, 90.0),
    Band(5168.5, 0.35, 90.0),
    Band(5449.5, 0.25, 90.0),
    Band(5848.6, 0.30, 70.0),
    Band(6160.6, 0.40, 110.0),
    Band(6652.8, 0.35, 80.0),
    Band(7055.9, 0.55, 110.0),
    Band(7591.6, 0.45, 110.0),
    Band(8434.5, 0.35, 60.0),
    Band(8862.0, 0.25, 60.0),
)
"""What makes M stars: heads of the alpha, gamma, gamma' and epsilon systems."""

COOL_STAR_LINES: Final = (
    Line(4227.92, 6.0, 6.0),  # Ca I
    Line(5891.6, 5.0, 4.0),  # Na I D
    Line(5897.6, 4.0, 4.0),
    Line(6384.0, 3.0, 8.0),  # CaH
    Line(6890.0, 25.0, 60.0),  # CaH
    Line(7667.0, 3.0, 4.0),  # K I
    Line(7701.1, 2.5, 4.0),
    Line(8185.5, 2.5, 3.0),  # Na I
    Line(8197.1, 3.0, 3.0),
    Line(8500.4, 1.0, 3.0),  # Ca II
    Line(8544.4, 2.0, 3.0),
    Line(8664.5, 1.8, 3.0),
)
"""Lines and hydrides beside the oxide bands of M stars."""

SWAN: Final = (
    Band(4383.2, 0.20, -50.0),
    Band(4738.5, 0.50, -90.0),
    Band(5166.7, 0.60, -100.0),
    Band(5637.3, 0.35, -100.0),
)
"""C2 in carbon stars: bands that fade to the blue."""
