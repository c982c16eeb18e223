"""One observed spectrum on the common grid, and what is wrong with the bad ones."""

from dataclasses import dataclass
from enum import IntFlag
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.errors import InvalidInput


class PixelFlag(IntFlag):
    """Bits of an SDSS pixel mask that stand for pixels not to be trusted.

    https://www.sdss3.org/dr10/algorithms/bitmask_sppixmask.php: what is very bad has
    inverse variance 0 already; of the other bits only these say something of the flux.
    Many of the rest (smear exposures, neighbors of bright fibers) are set for whole
    spectra that are perfectly good.
    """

    BRIGHTSKY = 1 << 23  # the sky is ten errors above the object and above its own mean
    REDMONSTER = 1 << 28  # a contiguous region where sky subtraction failed


UNTRUSTED: Final = int(PixelFlag.BRIGHTSKY | PixelFlag.REDMONSTER)


class BadSpectrum(InvalidInput):
    """A file, or one spectrum of it, that cannot be read; nothing of it was."""

    def __init__(self, path: Path, hdu: int | None, message: str) -> None:
        where = "" if hdu is None else f" HDU {hdu}"
        super().__init__(f"{path}{where}: {message}")
        self.path = path
        self.hdu = hdu


@dataclass(frozen=True)
class Spectrum:
    """A calibrated spectrum of one fiber, and what the pipeline made of it."""

    path: Path
    """The file it was read from."""
    plate: int
    """Plate, or field in SDSS-V."""
    mjd: int
    """Day of the last exposure."""
    fiber: int
    """Fiber, or catalog number in SDSS-V."""
    ra: float
    """ICRS degrees, of the fiber."""
    dec: float
    """ICRS degrees, of the fiber."""
    flux: NDArray[np.float32]
    """`L`, 1e-17 erg/s/cm2/A, 0 where nothing was seen."""
    ivar: NDArray[np.float32]
    """`L`, inverse variance of the flux as in the file, 0 where there is no flux."""
    mask: NDArray[np.int32]
    """`L` mask bits that all exposures share (`and_mask`), as in the file."""
    sky: NDArray[np.float32]
    """`L`, the sky that was subtracted, in units of the flux."""
    sn_median: float
    """Median signal to noise per pixel over the whole spectrum."""
    spectral_class: str
    """GALAXY, QSO or STAR by the pipeline; empty if it did not say."""
    subclass: str
    """STARFORMING, BROADLINE, F5, ...; mostly empty."""
    z: float
    """Redshift by the pipeline; NaN if it did not say."""
    z_err: float
    """Its standard deviation; NaN where unknown or where the fit failed."""
    zwarning: int
    """0 where the pipeline saw no problem."""
    instrument: str
    """SDSS or BOSS, the spectrograph."""
    spec_obj_id: str
    """`specObjID`, beyond 2^53 and therefore text; empty if the file has none."""
    photo_obj_id: str
    """`bestObjID` of the object in the images; empty if the file has none."""

    @property
    def name(self) -> str:
        """`PLATE-MJD-FIBER` with leading zeros, as files are named."""
        return f"{self.plate:04d}-{self.mjd:05d}-{self.fiber:04d}"

    @property
    def good(self) -> NDArray[np.bool_]:
        """`L`, pixels that were measured and can be trusted."""
        return np.asarray((self.ivar > 0) & ((self.mask & UNTRUSTED) == 0))

    @property
    def trusted_ivar(self) -> NDArray[np.float32]:
        """`L`, inverse variance with the untrusted pixels set to 0."""
        return np.where(self.good, self.ivar, np.float32(0.0))
