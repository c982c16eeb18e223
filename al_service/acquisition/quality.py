"""Doubtful measurements, by flags that a strategy may hold objects back for.

They come last and are reported, they are not dropped: an object without a redshift may
be the one that somebody looks for. Pools carry no flags of a pipeline; these say of the
measurements themselves what such flags would.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.errors import InvalidInput
from al_service.features.photometry import magnitude, signal_to_noise
from al_service.features.scanned_redshift import BELIEVED_FROM
from al_service.survey.photometry_columns import MODEL_FLUX, MODEL_FLUX_ERROR

Flags = NDArray[np.bool_]

DETECTED: Final = 5.0
"""Standard deviations of a flux in r below which there may be nothing."""

CLASSES: Final = ("GALAXY", "QSO", "STAR")
"""What a scan may call a spectrum, as strata from 0."""

RED_FROM: Final = 2.22
"""u - r, corrected for extinction, that best separates early and late types (Strateva
et al. 2001)."""


class QualityFlag(StrEnum):
    """What may be wrong with an object."""

    INCOMPLETE = "incomplete_photometry"  # a band lacks its flux or its error
    FAINT = "faint"  # the flux in r is below five standard deviations
    UNSURE_REDSHIFT = "unsure_redshift"  # a spectrum whose scan is not believed
    NOT_A_GALAXY = "not_a_galaxy"  # a scan that is believed says star or quasar


class QuotaBy(StrEnum):
    """By what the objects of an order are kept mixed."""

    SIGNAL = "signal_to_noise"  # tenths of the pool by signal to noise in r
    COLOR = "color"  # blue and red, at u - r = 2.22
    CLASS = "spectral_class"  # galaxy, quasar, star, as a believed scan says


OF_THE_SCAN: Final = frozenset(
    {QualityFlag.UNSURE_REDSHIFT, QualityFlag.NOT_A_GALAXY, QuotaBy.CLASS}
)
"""What only a redshift scan can say."""

N_STRATA: Final[Mapping[QuotaBy, int]] = {
    QuotaBy.SIGNAL: 10,
    QuotaBy.COLOR: 2,
    QuotaBy.CLASS: len(CLASSES),
}
"""A quota of less than one part of so many cannot be kept."""


@dataclass(frozen=True)
class Scanned:
    """What the redshift scan says of `N` objects."""

    has_spectrum: Flags
    """`N`."""
    confidence: NDArray[np.float64]
    """`N` probabilities that the redshift is right; 0 where there is none."""
    spectral_class: NDArray[np.str_]
    """`N`, one of `CLASSES`; empty where there is no candidate."""

    @property
    def believed(self) -> Flags:
        """`N` flags: the scan may be taken at its word."""
        return self.has_spectrum & (self.confidence >= BELIEVED_FROM)


def doubtful(
    wanted: Collection[QualityFlag],
    photometry: NDArray[np.floating],
    scanned: Scanned | None,
) -> Flags:
    """The objects that any of the wanted flags is raised for.

    Args:
        wanted: which flags.
        photometry: `N x P`, the columns of `PHOTOMETRY_COLUMNS`.
        scanned: of the same objects; None where nobody has scanned.

    Returns:
        `N` flags.
    """
    raised: Flags = np.zeros(len(photometry), dtype=np.bool_)
    for flag in wanted:
        if flag is QualityFlag.INCOMPLETE:
            raised |= _incomplete(photometry)
        elif flag is QualityFlag.FAINT:
            # Where nothing is known nothing is faint: that is another flag.
            raised |= signal_to_noise(photometry) < DETECTED
        elif flag is QualityFlag.UNSURE_REDSHIFT:
            spectra = _needed(scanned, flag)
            raised |= spectra.has_spectrum & ~spectra.believed
        else:
            spectra = _needed(scanned, flag)
            raised |= spectra.believed & (spectra.spectral_class != CLASSES[0])
    return raised


def color_strata(photometry: NDArray[np.floating]) -> NDArray[np.int64]:
    """`N` strata: 0 blue, 1 red, -1 where a flux is missing.

    Args:
        photometry: `N x P`, the columns of `PHOTOMETRY_COLUMNS`.
    """
    u_minus_r = magnitude(photometry, "u") - magnitude(photometry, "r")
    known = np.isfinite(u_minus_r)
    return np.where(known, (u_minus_r >= RED_FROM).astype(np.int64), -1)


def class_strata(scanned: Scanned | None) -> NDArray[np.int64]:
    """`N` strata in the order of `CLASSES`, -1 where no scan is believed.

    Args:
        scanned: of `N` objects; None where nobody has scanned.
    """
    spectra = _needed(scanned, QuotaBy.CLASS)
    strata = np.full(len(spectra.confidence), -1, dtype=np.int64)
    for number, name in enumerate(CLASSES):
        strata[spectra.believed & (spectra.spectral_class == name)] = number
    return strata


def _incomplete(photometry: NDArray[np.floating]) -> Flags:
    known = np.isfinite(photometry[:, MODEL_FLUX]) & (
        photometry[:, MODEL_FLUX_ERROR] > 0
    )
    return np.asarray(~known.all(axis=1))


def _needed(scanned: Scanned | None, of: QualityFlag | QuotaBy) -> Scanned:
    if scanned is None:
        raise InvalidInput(f"{of}: expected a redshift scan of the pool, found none")
    return scanned
