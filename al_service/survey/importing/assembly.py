"""One folder of pool arrays out of a catalog, spectra and images.

Everything is written to the folder in parts as it is read; what stays in memory are
identifiers, positions and known labels.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from al_service.errors import BadRows, InvalidInput, NotFound
from al_service.survey.atomic_folder import file_digest
from al_service.survey.catalogs.catalog import open_catalog
from al_service.survey.images.stamp import STAMP_SHAPE
from al_service.survey.importing.images import add_images
from al_service.survey.importing.matching import galaxies
from al_service.survey.importing.objects import ObjectList
from al_service.survey.importing.rejected import RejectedRows
from al_service.survey.importing.request import ImportCounts, ImportRequest, Progress
from al_service.survey.importing.spectra import (
    SPECTRUM_SHAPE,
    Observed,
    match_spectra,
    spool_spectra,
)
from al_service.survey.importing.spool import Spool
from al_service.survey.photometry_columns import PHOTOMETRY_COLUMNS
from al_service.survey.pool_arrays import PoolColumns, finish_pool_folder
from al_service.survey.pool_writer import ABSENT, GrowingArray, Take, write_gathered
from al_service.survey.targets import DEFAULT_TARGETS, Target

P: Final = len(PHOTOMETRY_COLUMNS)


@dataclass(frozen=True)
class _Measured:
    """Measurements of one modality, waiting to be written."""

    numbers: NDArray[np.int64]
    """Number of the measurement of each object so far, `ABSENT` where none."""
    take: Take

    def of(self, n: int) -> NDArray[np.int64]:
        """The same for a pool that has grown to `n` objects."""
        grown = np.full(n, ABSENT, dtype=np.int64)
        grown[: len(self.numbers)] = self.numbers
        return grown


class _Photometry:
    """The photometry array as it grows, and which objects have any."""

    def __init__(self, path: Path) -> None:
        self._array = GrowingArray(path, (P,))
        self._has: list[NDArray[np.bool_]] = []

    def __len__(self) -> int:
        return len(self._array)

    def append(self, photometry: NDArray[np.floating[Any]]) -> None:
        """Add `K x P` rows."""
        self._array.append(photometry)
        self._has.append(np.asarray(np.isfinite(photometry).any(axis=1)))

    def finish(self, objects: ObjectList) -> NDArray[np.bool_]:
        """Rows for objects that came later: those of their galaxy, or nothing.

        Returns:
            `N` flags: whether each object has photometry.
        """
        self._array.finish()
        known = len(self._array)
        missing = np.full((len(objects) - known, P), np.nan, dtype=np.float32)
        links = [pair for pair in objects.links if pair[0] < known <= pair[1]]
        if links:
            there, here = zip(*links, strict=True)
            missing[np.array(here) - known] = self._array.take(there)
        if len(missing):
            self.append(missing)
            self._array.finish()
        return np.concatenate(self._has) if self._has else np.zeros(0, bool)


def assemble_pool(
    request: ImportRequest,
    folder: Path,
    *,
    rejected: RejectedRows,
    skip_bad: bool,
    progress: Progress,
) -> tuple[str, ImportCounts]:
    """Fill a new folder with the arrays of a pool.

    Args:
        request: what to import.
        folder: empty, not visible yet; the caller publishes or drops it.
        rejected: gets everything that could not be used.
        skip_bad: import the rest; without it, problems forbid the import.
        progress: told how far the stages are.

    Returns:
        The digest of the manifest, and what was found.

    Raises:
        BadRows: problems were found, after everything was looked at.
        InvalidInput: a file cannot be read at all, or nothing is left to import.
    """
    _check_request(request)
    counts, sources = ImportCounts(), dict[str, Path]()
    objects, measured = ObjectList(), dict[str, _Measured]()
    with (
        TemporaryDirectory(prefix=".spool-", dir=folder) as name,
        Spool(Path(name) / "spectra", SPECTRUM_SHAPE) as spool,
        Spool(Path(name) / "images", STAMP_SHAPE) as images,
    ):
        photometry = _Photometry(folder / "photometry")
        _read_catalog(request, objects, photometry, rejected, counts, progress, sources)
        observed = spool_spectra(request, spool, rejected, progress, sources)
        if request.spectra is not None:
            spectrum_of = match_spectra(request, observed, objects, rejected, counts)
            measured["spectrum"] = _Measured(spectrum_of, spool.take)
        if request.images is not None:
            measured["image"] = _Measured(
                *add_images(
                    request,
                    objects,
                    images,
                    Path(name),
                    rejected,
                    counts,
                    progress,
                    sources,
                )
            )
        _refuse(rejected, skip_bad, objects)
        flags = {"photometry": photometry.finish(objects)}
        _write_measured(folder, measured, flags, len(objects), progress)
    counts.problems = rejected.count
    columns, targets = _columns(request, objects, observed, measured, counts)
    if "image" in flags:
        counts.without_image = int((~flags["image"]).sum())
    shapes = {"image": STAMP_SHAPE, "spectrum": SPECTRUM_SHAPE}
    digest = finish_pool_folder(
        folder,
        columns,
        flags,
        targets=targets,
        row_shapes={"photometry": (P,)} | {name: shapes[name] for name in measured},
        facts=_facts(request, counts, sources, progress),
    )
    return digest, counts


def _check_request(request: ImportRequest) -> None:
    given = [p for p in (request.catalog, request.spectra, request.images) if p]
    if not given:
        raise InvalidInput(
            "expected a catalog, spectra or images to import, found none"
        )
    for path in given:
        if not path.exists():
            raise NotFound("file or folder", str(path))
    if not 0 < request.radius_arcsec <= 60:
        raise InvalidInput(
            f'radius: expected arcseconds in (0, 60], found {request.radius_arcsec}"'
        )


def _read_catalog(
    request: ImportRequest,
    objects: ObjectList,
    photometry: _Photometry,
    rejected: RejectedRows,
    counts: ImportCounts,
    progress: Progress,
    sources: dict[str, Path],
) -> None:
    if request.catalog is None:
        return
    sources[f"catalog/{request.catalog.name}"] = request.catalog
    with open_catalog(request.catalog, request.declared, hdu=request.hdu) as catalog:
        objects.targets = catalog.columns.targets
        for part in catalog.parts():
            rejected.add(part.problems)
            objects.add_part(part)
            photometry.append(part.photometry)
            counts.distrusted_labels += part.n_distrusted
            counts.catalog_rows += len(part.object_ids)
            progress("reading the catalog", counts.catalog_rows, catalog.n_rows)


def _refuse(rejected: RejectedRows, skip_bad: bool, objects: ObjectList) -> None:
    if rejected.count and not skip_bad:
        raise BadRows(rejected.count, rejected.first, rejected.path)
    if not len(objects):
        raise InvalidInput(
            f"nothing to import: no object was found ({rejected.count} problems)"
        )


def _write_measured(
    folder: Path,
    measured: Mapping[str, _Measured],
    flags: dict[str, NDArray[np.bool_]],
    n: int,
    progress: Progress,
) -> None:
    shapes = {"image": STAMP_SHAPE, "spectrum": SPECTRUM_SHAPE}
    for name, found in sorted(measured.items()):
        numbers = found.of(n)
        flags[name] = numbers != ABSENT

        def report(done: int, name: str = name) -> None:
            progress(f"writing {name} arrays", done, n)

        write_gathered(
            folder / name, shapes[name], numbers, found.take, progress=report
        )


def _columns(
    request: ImportRequest,
    objects: ObjectList,
    observed: list[Observed],
    measured: Mapping[str, _Measured],
    counts: ImportCounts,
) -> tuple[PoolColumns, tuple[str, ...]]:
    """The small columns, with galaxies and known labels."""
    ids = np.array(objects.ids, dtype=np.str_)
    ra, dec = objects.sky()
    declared = None
    if objects.declared is not None:
        declared = np.array(objects.declared, dtype=np.str_)
    groups, counts.galaxies = galaxies(
        ids,
        ra,
        dec,
        radius_arcsec=request.radius_arcsec,
        links=objects.links,
        declared=declared,
    )
    wanted = {*objects.targets, *([Target.Z.value] if request.pipeline_z else [])}
    targets = tuple(target for target in DEFAULT_TARGETS if target in wanted)
    values, errors = objects.known(targets)
    if request.pipeline_z and "spectrum" in measured:
        _add_pipeline_z(
            values, errors, targets.index(Target.Z), observed, measured["spectrum"]
        )
    counts.objects = len(ids)
    counts.repeated = counts.objects - counts.galaxies
    counts.joined_groups = 0 if declared is None else int((groups != declared).sum())
    counts.known_labels = int(np.isfinite(values).any(axis=1).sum())
    columns = PoolColumns(
        object_ids=ids,
        group_ids=groups,
        ra=ra,
        dec=dec,
        known_values=values,
        known_errors=errors,
        declared_groups=declared,
    )
    return columns, targets


def _add_pipeline_z(
    values: NDArray[np.float64],
    errors: NDArray[np.float64],
    place: int,
    observed: list[Observed],
    spectra: _Measured,
) -> None:
    """Redshifts of the spectra, where the catalog knows none."""
    numbers = spectra.of(len(values))
    rows = np.flatnonzero((numbers != ABSENT) & ~np.isfinite(values[:, place]))
    values[rows, place] = [observed[k].z for k in numbers[rows]]
    errors[rows, place] = [observed[k].z_err for k in numbers[rows]]


def _facts(
    request: ImportRequest,
    counts: ImportCounts,
    sources: Mapping[str, Path],
    progress: Progress,
) -> dict[str, Any]:  # Any: JSON values
    digests = {}
    for number, (name, path) in enumerate(sorted(sources.items()), 1):
        digests[name] = file_digest(path)
        progress("computing digests", number, len(sources))
    return {
        "sources": digests,
        "columns": dict(request.declared),
        "match": {"by": request.match.value, "radius_arcsec": request.radius_arcsec},
        "counts": counts.as_json(),
    }
