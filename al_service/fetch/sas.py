"""Where the Science Archive Server keeps spectra and frames, release by release.

Sources, below https://data.sdss.org/datamodel/files/: the data models of `spec`
(BOSS_SPECTRO_REDUX/RUN2D/spectra/PLATE4/spec.html) and of `frame`
(BOSS_PHOTOOBJ/frames/RERUN/RUN/CAMCOL/frame.html). What moved between releases is told
in the issues 1731, 2214, 2219, 3011 and 3017 of astroquery.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from al_service.errors import InvalidInput

FIRST_RELEASE: Final = 12
LAST_RELEASE: Final = 18
"""Releases whose layout is known here; others moved their files again."""

FIRST_EBOSS: Final = 13
"""From here on the BOSS branch of the archive is called eBOSS."""

FIRST_FULL_FOLDER: Final = 16
"""From here on full BOSS spectra lie beside `lite` in a folder `full`."""

FIRST_SDSS_V: Final = 18
"""SDSS-V rearranged the archive; earlier surveys are below new roots."""

LEGACY_RUN2D: Final = frozenset({"26", "103", "104"})
"""Reductions of SDSS-I/II plates: 26 main survey, 103 star clusters, 104 SEGUE-2."""

_BOSS_RUN2D: Final = re.compile(r"v[1-5](_\d+){2}")
"""Reductions of BOSS and eBOSS; v6 is SDSS-V, which has fields, not plates."""

BANDS: Final = "ugriz"

KB: Final = 1000


class Kind(StrEnum):
    """What a file holds."""

    SPECTRUM = "spectrum"  # one object, one observation
    FRAME = "frame"  # one field in one band, calibrated and sky-subtracted


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of the archive, and its place in a sample's folder."""

    kind: Kind
    name: str
    """Relative to the sample's folder."""
    path: str
    """Relative to the address of the archive."""
    typical_bytes: int
    """For plans; the server says how large it really is."""

    @property
    def directory(self) -> str:
        """The folder of the archive in which it lies."""
        return self.path.rpartition("/")[0]


@dataclass(frozen=True, slots=True)
class Observation:
    """One spectrum: which fiber of which plate on which night, and who reduced it."""

    plate: int
    mjd: int
    fiber: int
    run2d: str

    @property
    def name(self) -> str:
        """`spec-PLATE-MJD-FIBER`, as files are called."""
        return f"spec-{self.plate:04d}-{self.mjd}-{self.fiber:04d}"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the imaging survey: 13.5' x 9.8' in five bands."""

    run: int
    rerun: int
    camcol: int
    field: int


def check_release(release: int) -> None:
    """Refuse a release whose layout is not known.

    Raises:
        InvalidInput: It is none of `FIRST_RELEASE` to `LAST_RELEASE`.
    """
    if not FIRST_RELEASE <= release <= LAST_RELEASE:
        raise InvalidInput(
            f"expected a data release from {FIRST_RELEASE} to {LAST_RELEASE}, "
            f"found {release}"
        )


def spectrum_file(
    observation: Observation, *, release: int, full: bool = False
) -> RemoteFile:
    """Where one spectrum lies.

    Args:
        observation: plate, night, fiber and reduction.
        release: 17 for DR17.
        full: with every single exposure, not only the co-added spectrum.

    Raises:
        InvalidInput: A reduction of SDSS-V or an unknown one.
    """
    legacy = observation.run2d in LEGACY_RUN2D
    if not legacy and not _BOSS_RUN2D.fullmatch(observation.run2d):
        raise InvalidInput(
            f"{observation.name}: expected run2d 26, 103, 104 or v5_…, "
            f"found {observation.run2d!r}"
        )
    folder = _spectra_folder(release, legacy=legacy, full=full)
    plate = f"{observation.plate:04d}"
    return RemoteFile(
        Kind.SPECTRUM,
        name=f"spectra/{plate}/{observation.name}.fits",
        path=f"{_spectro_root(release, legacy=legacy)}/{observation.run2d}/{folder}"
        f"/{plate}/{observation.name}.fits",
        typical_bytes=_TYPICAL_SPECTRUM[legacy, full],
    )


def frame_file(field: Field, band: str, *, release: int) -> RemoteFile:
    """Where one field in one band lies."""
    name = f"frame-{band}-{field.run:06d}-{field.camcol}-{field.field:04d}.fits.bz2"
    return RemoteFile(
        Kind.FRAME,
        name=f"frames/{name}",
        path=f"{_photo_root(release)}/frames/{field.rerun}/{field.run}/{field.camcol}"
        f"/{name}",
        typical_bytes=_TYPICAL_FRAME,
    )


_TYPICAL_SPECTRUM: Final = {
    (True, False): 173 * KB,
    (False, False): 219 * KB,
    (True, True): 900 * KB,
    (False, True): 1700 * KB,
}
"""By (legacy, full): medians of real files; full ones vary with the exposures."""

_TYPICAL_FRAME: Final = 3000 * KB
"""Compressed; 12.4 MB as they are."""


def _spectra_folder(release: int, *, legacy: bool, full: bool) -> str:
    if not full:
        return "spectra/lite"
    if release >= FIRST_FULL_FOLDER and not legacy:
        return "spectra/full"
    return "spectra"


def _spectro_root(release: int, *, legacy: bool) -> str:
    if release >= FIRST_SDSS_V:
        return f"dr{release}/spectro/sdss/redux"
    if legacy:
        return f"dr{release}/sdss/spectro/redux"
    return f"dr{release}/{_survey(release)}/spectro/redux"


def _photo_root(release: int) -> str:
    if release >= FIRST_SDSS_V:
        return f"dr{release}/prior-surveys/sdss4-dr17-eboss/photoObj"
    return f"dr{release}/{_survey(release)}/photoObj"


def _survey(release: int) -> str:
    return "eboss" if release >= FIRST_EBOSS else "boss"
