"""Showing an object to a person: its picture, and its spectrum with the scan's fit."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from al_service.errors import NotFound
from al_service.features.scan.best_fit import fit_spectrum
from al_service.features.scan.marks import MarkedLine, marked_lines
from al_service.features.scan.scanning import ScanResult, scan
from al_service.features.scan.templates import SpectralClass
from al_service.rounds.browsing import find_object
from al_service.survey.images.pictures import band_picture, color_picture, write_png
from al_service.survey.inputs import Modality
from al_service.survey.pool_rows import read_image, read_spectrum
from al_service.survey.spectra.grid import wavelengths
from db.tables import Pool

UNITS: Final = {
    "wavelength": "Angstrom, vacuum",
    "flux": "1e-17 erg / (s cm2 Angstrom)",
}


class NotMeasured(NotFound):
    """An object has no measurement of this kind."""

    def __init__(self, what: str, object_id: str) -> None:
        super().__init__(what, object_id)
        self.args = (f"object {object_id!r} has no {what}",)


@dataclass(frozen=True)
class Measurement:
    """Where an object's image or spectrum lies; it never changes."""

    object_id: str
    pool: str
    pool_digest: str
    folder: Path
    row: int


@dataclass(frozen=True)
class RedshiftCandidate:
    """One redshift that a spectrum may have."""

    z: float
    spectral_class: SpectralClass
    gain: float
    """Fall of chi^2."""
    confidence: float | None
    """Probability that it is right; of the best one only."""


@dataclass(frozen=True)
class ShownSpectrum:
    """A spectrum from its first measured pixel to the last one."""

    wavelength: NDArray[np.float64]
    """`M`, vacuum A."""
    flux: NDArray[np.float64]
    """`M`, 1e-17 erg/s/cm2/A."""
    error: NDArray[np.float64]
    """`M` standard deviations of the flux, NaN where masked."""
    mask: NDArray[np.bool_]
    """`M`, whether a pixel is not to be used."""
    model: NDArray[np.float64] | None
    """`M`, templates of the best candidate; None without one."""
    candidates: tuple[RedshiftCandidate, ...]
    """Best first."""
    lines: tuple[MarkedLine, ...]
    """Where the best candidate puts them."""


def find_measurement(
    session: Session,
    object_id: str,
    *,
    pool: str | None,
    modality: Modality,
    artifacts: Path,
) -> Measurement:
    """Where an object's image or spectrum lies; nothing is read yet.

    Args:
        session: reads in its transaction.
        object_id: the object.
        pool: needed where several pools have the id.
        modality: image or spectrum.
        artifacts: folder of arrays and checkpoints.

    Raises:
        NotFound: there is no such object.
        NotMeasured: it has no such measurement.
        AmbiguousObject: several pools have it and none was named.
    """
    found, name = find_object(session, object_id, pool=pool)
    has = {Modality.IMAGE: found.has_image, Modality.SPECTRUM: found.has_spectrum}
    if not has[modality]:
        raise NotMeasured(str(modality.name).lower(), object_id)
    row = session.get_one(Pool, found.pool_id)
    return Measurement(
        object_id, name, str(row.manifest_digest), artifacts / row.arrays, found.row
    )


def draw_image(image: Measurement, *, band: str | None, size: int) -> bytes:
    """A PNG of an object, north up and east left.

    Args:
        image: where it is.
        band: one of u, g, r, i and z in gray; g, r and i in color without it.
        size: pixels a side.
    """
    stamp = read_image(image.folder, image.row)
    picture = color_picture(stamp) if band is None else band_picture(stamp, band)
    return write_png(picture, size)


def show_spectrum(spectrum: Measurement) -> ShownSpectrum:
    """A spectrum with what the scan makes of it: some 20 ms of work."""
    flux, ivar = read_spectrum(spectrum.folder, spectrum.row).astype(np.float64)
    good = np.isfinite(flux) & np.isfinite(ivar) & (ivar > 0)
    candidates = _candidates(scan(flux[None], ivar[None]))
    measured = np.flatnonzero(good)
    # All of the grid where there is nothing at all: an empty answer draws no axis.
    seen = slice(measured[0], measured[-1] + 1) if len(measured) else slice(None)
    wavelength = wavelengths()[seen]
    model: NDArray[np.float64] | None = None
    lines: tuple[MarkedLine, ...] = ()
    if candidates:
        best = candidates[0]
        model = fit_spectrum(flux, ivar, z=best.z, spectral_class=best.spectral_class)[
            seen
        ]
        lines = marked_lines(
            best.spectral_class,
            best.z,
            bluest=float(wavelength[0]),
            reddest=float(wavelength[-1]),
        )
    error = np.where(good, ivar, np.nan) ** -0.5
    return ShownSpectrum(
        wavelength, flux[seen], error[seen], ~good[seen], model, candidates, lines
    )


def _candidates(found: ScanResult) -> tuple[RedshiftCandidate, ...]:
    return tuple(
        RedshiftCandidate(
            z=float(found.candidate_z[0, place]),
            spectral_class=SpectralClass(str(found.candidate_class[0, place])),
            gain=float(found.candidate_gain[0, place]),
            confidence=float(found.confidence[0]) if place == 0 else None,
        )
        for place in np.flatnonzero(np.isfinite(found.candidate_z[0])).tolist()
    )
