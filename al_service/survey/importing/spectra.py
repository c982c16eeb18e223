"""Spectra of a folder: read once, spooled to disk, matched to their objects."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.errors import Problem, UnreadableFile
from al_service.survey.importing.matching import (
    by_id,
    nearest,
    normal_id,
    rows_named,
)
from al_service.survey.importing.objects import ObjectList
from al_service.survey.importing.rejected import RejectedRows
from al_service.survey.importing.request import (
    ImportCounts,
    ImportRequest,
    MatchBy,
    Progress,
)
from al_service.survey.importing.spool import Spool
from al_service.survey.pool_writer import ABSENT
from al_service.survey.spectra import (
    N_PIXELS,
    BadSpectrum,
    Spectrum,
    find_spectrum_files,
    read_spectra,
)
from al_service.survey.targets import GOOD_ZWARNING, LIMITS, Target

SPECTRUM_SHAPE: Final = (2, N_PIXELS)
"""`C x L`: flux, and its inverse variance with untrusted pixels at 0."""


@dataclass(frozen=True)
class Observed:
    """What is remembered of a spectrum while its pixels wait on disk."""

    name: str
    other_names: tuple[str, ...]
    """specObjID and objID, where the file has them."""
    ra: float
    dec: float
    sn_median: float
    z: float
    """By the pipeline; NaN where it warns."""
    z_err: float


def spool_spectra(
    request: ImportRequest,
    spool: Spool,
    rejected: RejectedRows,
    progress: Progress,
    sources: dict[str, Path],
) -> list[Observed]:
    """Read every spectrum below a folder.

    Args:
        request: says where they are.
        spool: gets the pixels, in the order of the answer.
        rejected: gets the files that cannot be read.
        progress: told after every file.
        sources: gets the files, by the name that the manifest calls them.

    Raises:
        UnreadableFile: there is no spectrum at all.
    """
    folder = request.spectra
    if folder is None:
        return []
    files = [folder] if folder.is_file() else find_spectrum_files(folder)
    if not files:
        raise UnreadableFile(
            folder, "expected spec-*.fits or spPlate-*.fits, found none"
        )
    observed: list[Observed] = []
    seen: dict[str, Path] = {}
    for number, path in enumerate(files, 1):
        try:
            for spectrum in read_spectra(path):
                problem = _problem_of(spectrum, seen)
                if problem is not None:
                    rejected.add([Problem(f"{path}: {spectrum.name}", problem)])
                    continue
                seen[spectrum.name] = path
                spool.append(np.stack([spectrum.flux, spectrum.trusted_ivar]))
                observed.append(_observed(spectrum))
        except BadSpectrum as error:
            rejected.add([Problem(str(path), str(error).removeprefix(f"{path}: "))])
        base = folder.parent if folder.is_file() else folder
        sources[f"spectra/{path.relative_to(base)}"] = path
        progress("reading spectra", number, len(files))
    return observed


def _problem_of(spectrum: Spectrum, seen: Mapping[str, Path]) -> str | None:
    if spectrum.name in seen:
        return f"is there twice: also in {seen[spectrum.name]}"
    if not (0 <= spectrum.ra <= 360 and -90 <= spectrum.dec <= 90):
        return f"expected a position on the sky, found {spectrum.ra}, {spectrum.dec}"
    if not np.isfinite(spectrum.flux).all() or not np.isfinite(spectrum.ivar).all():
        return "expected finite fluxes and inverse variances"
    if not (spectrum.ivar > 0).any():
        return "no pixel was measured: every inverse variance is 0"
    return None


def _observed(spectrum: Spectrum) -> Observed:
    low, high = LIMITS[Target.Z]
    trusted = spectrum.zwarning in GOOD_ZWARNING and low <= spectrum.z <= high
    return Observed(
        name=spectrum.name,
        other_names=tuple(
            name for name in (spectrum.spec_obj_id, spectrum.photo_obj_id) if name
        ),
        ra=spectrum.ra % 360.0,
        dec=spectrum.dec,
        sn_median=spectrum.sn_median,
        z=spectrum.z if trusted else np.nan,
        z_err=spectrum.z_err if trusted and spectrum.z_err > 0 else np.nan,
    )


def match_spectra(
    request: ImportRequest,
    observed: list[Observed],
    objects: ObjectList,
    rejected: RejectedRows,
    counts: ImportCounts,
) -> NDArray[np.int64]:
    """Give every spectrum its object; those of no object become objects.

    Of several spectra of one object the one with the highest signal-to-noise stays
    with it; the others become objects of the same galaxy.

    Returns:
        `N` numbers of spectra, `ABSENT` for objects without one; of a pool that has
        grown by the spectra without an object.
    """
    found = _find(request, observed, objects)
    counts.spectra = len(observed)
    counts.spectra_matched = int((found != ABSENT).sum())
    taken: dict[int, int] = {}
    names = objects.named(one.name for one in observed)
    order = sorted(
        range(len(observed)), key=lambda k: (-observed[k].sn_median, observed[k].name)
    )
    further = []
    for k in order:
        row = int(found[k])
        if row == ABSENT or row in taken:
            further.append(k)
        else:
            taken[row] = k
    for k in sorted(further, key=lambda k: observed[k].name):
        one, row = observed[k], int(found[k])
        if one.name in names:
            rejected.add(
                [Problem(one.name, "an object of another place has this identifier")]
            )
            continue
        same = None if row == ABSENT else row
        taken[objects.add(one.name, one.ra, one.dec, same_as=same)] = k
    spectrum_of = np.full(len(objects), ABSENT, dtype=np.int64)
    spectrum_of[list(taken)] = list(taken.values())
    return spectrum_of


def _find(
    request: ImportRequest, observed: list[Observed], objects: ObjectList
) -> NDArray[np.int64]:
    if request.match is MatchBy.ID:
        names = [(normal_id(one.name), *one.other_names) for one in observed]
        wanted = {name for those in names for name in those}
        rows = rows_named(wanted, objects.texts("object_id"))
        rows |= rows_named(wanted, objects.texts("spectrum_id"))
        return by_id(names, rows)
    return nearest(
        np.array([one.ra for one in observed], dtype=np.float64),
        np.array([one.dec for one in observed], dtype=np.float64),
        objects.sky_parts(),
        radius_arcsec=request.radius_arcsec,
    )
