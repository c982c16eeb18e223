"""One folder of pool arrays out of a catalog, spectra and images.

Everything is written to the folder in parts as it is read. What stays in memory of an
object of a catalog are digests of its identifier, then its position, at last its flags.
"""

from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from al_service.errors import BadRows, InvalidInput, NotFound
from al_service.survey.atomic_folder import file_digest
from al_service.survey.catalogs.catalog import open_catalog
from al_service.survey.images.stamp import STAMP_SHAPE
from al_service.survey.importing.columns import (
    KnownLabels,
    SpectraLabels,
    columns_of,
)
from al_service.survey.importing.growing_table import GrowingTable
from al_service.survey.importing.images import add_images
from al_service.survey.importing.objects import ObjectList
from al_service.survey.importing.photometry import GrowingPhotometry, P
from al_service.survey.importing.rejected import RejectedRows
from al_service.survey.importing.request import ImportCounts, ImportRequest, Progress
from al_service.survey.importing.spectra import (
    SPECTRUM_SHAPE,
    Observed,
    match_spectra,
    spool_spectra,
)
from al_service.survey.importing.spool import Spool
from al_service.survey.pool_arrays import OBJECTS, describe_pool_folder
from al_service.survey.pool_columns import write_column_parts
from al_service.survey.pool_writer import ABSENT, Take, write_gathered
from al_service.survey.positions import LARGEST_RADIUS_ARCSEC
from al_service.survey.targets import DEFAULT_TARGETS, Target

SHAPES: Final = {"image": STAMP_SHAPE, "spectrum": SPECTRUM_SHAPE}
"""Of one object's measurement."""


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


@dataclass(frozen=True)
class _Work:
    """An import under way: what was asked for, and what has been found so far."""

    request: ImportRequest
    folder: Path
    rejected: RejectedRows
    progress: Progress
    objects: ObjectList
    counts: ImportCounts = field(default_factory=ImportCounts)
    sources: dict[str, Path] = field(default_factory=dict)
    """Every file that was read, by its name in the manifest."""
    measured: dict[str, _Measured] = field(default_factory=dict)
    """Modality to its measurements."""


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
    with (
        TemporaryDirectory(prefix=".spool-", dir=folder) as name,
        GrowingTable(Path(name) / "objects") as table,
        Spool(Path(name) / "spectra", SPECTRUM_SHAPE) as spectra,
        Spool(Path(name) / "images", STAMP_SHAPE) as images,
    ):
        work = _Work(request, folder, rejected, progress, ObjectList(table))
        photometry = GrowingPhotometry(folder / "photometry")
        _read_catalog(work, photometry)
        observed = _read_spectra(work, spectra)
        _read_images(work, images, Path(name))
        _refuse(rejected, skip_bad, work.objects)
        flags = {"photometry": photometry.finish(work.objects)}
        _write_measured(work, flags)
        targets = _targets(work)
        _write_columns(work, targets, observed, flags)
    work.counts.problems = rejected.count
    if "image" in flags:
        work.counts.without_image = int((~flags["image"]).sum())
    digest = describe_pool_folder(
        folder,
        len(work.objects),
        targets=targets,
        row_shapes={"photometry": (P,)} | {one: SHAPES[one] for one in work.measured},
        facts=_facts(work),
    )
    return digest, work.counts


def _check_request(request: ImportRequest) -> None:
    given = [p for p in (request.catalog, request.spectra, request.images) if p]
    if not given:
        raise InvalidInput(
            "expected a catalog, spectra or images to import, found none"
        )
    for path in given:
        if not path.exists():
            raise NotFound("file or folder", str(path))
    if not 0 < request.radius_arcsec <= LARGEST_RADIUS_ARCSEC:
        raise InvalidInput(
            f"radius: expected arcseconds in (0, {LARGEST_RADIUS_ARCSEC:g}],"
            f' found {request.radius_arcsec}"'
        )


def _read_catalog(work: _Work, photometry: GrowingPhotometry) -> None:
    request, counts = work.request, work.counts
    if request.catalog is None:
        return
    work.sources[f"catalog/{request.catalog.name}"] = request.catalog
    with open_catalog(request.catalog, request.declared, hdu=request.hdu) as catalog:
        work.objects.targets = catalog.columns.targets
        for part in catalog.parts():
            work.rejected.add(part.problems)
            work.objects.add_part(part)
            photometry.append(part.photometry)
            counts.distrusted_labels += part.n_distrusted
            counts.catalog_rows += len(part.object_ids)
            work.progress("reading the catalog", counts.catalog_rows, catalog.n_rows)


def _read_spectra(work: _Work, spool: Spool) -> list[Observed]:
    request = work.request
    observed = spool_spectra(request, spool, work.rejected, work.progress, work.sources)
    if request.spectra is not None:
        numbers = match_spectra(
            request, observed, work.objects, work.rejected, work.counts
        )
        work.measured["spectrum"] = _Measured(numbers, spool.take)
    return observed


def _read_images(work: _Work, spool: Spool, scratch: Path) -> None:
    if work.request.images is None:
        return
    numbers, take = add_images(
        work.request,
        work.objects,
        spool,
        scratch,
        work.rejected,
        work.counts,
        work.progress,
        work.sources,
    )
    work.measured["image"] = _Measured(numbers, take)


def _refuse(rejected: RejectedRows, skip_bad: bool, objects: ObjectList) -> None:
    if rejected.count and not skip_bad:
        raise BadRows(rejected.count, rejected.first, rejected.path)
    if not len(objects):
        raise InvalidInput(
            f"nothing to import: no object was found ({rejected.count} problems)"
        )


def _write_measured(work: _Work, flags: dict[str, NDArray[np.bool_]]) -> None:
    n = len(work.objects)
    for name, found in sorted(work.measured.items()):
        numbers = found.of(n)
        flags[name] = numbers != ABSENT

        def report(done: int, name: str = name) -> None:
            work.progress(f"writing {name} arrays", done, n)

        write_gathered(
            work.folder / name, SHAPES[name], numbers, found.take, progress=report
        )


def _targets(work: _Work) -> tuple[str, ...]:
    """Targets of which some labels are known."""
    wanted = set(work.objects.targets)
    if work.request.pipeline_z:
        wanted.add(Target.Z.value)
    return tuple(target for target in DEFAULT_TARGETS if target in wanted)


def _write_columns(
    work: _Work,
    targets: tuple[str, ...],
    observed: list[Observed],
    flags: dict[str, NDArray[np.bool_]],
) -> None:
    """The small columns, with galaxies and known labels; they are counted."""
    spectra = None
    if work.request.pipeline_z and "spectrum" in work.measured:
        numbers = work.measured["spectrum"].of(len(work.objects))
        spectra = SpectraLabels(observed, numbers)
    columns = columns_of(
        work.objects,
        KnownLabels(work.objects, targets, spectra),
        work.counts,
        work.request.radius_arcsec,
    )
    write_column_parts(work.folder / OBJECTS, columns, flags)


def _facts(work: _Work) -> dict[str, Any]:  # Any: JSON values
    request, digests = work.request, {}
    for number, (name, path) in enumerate(sorted(work.sources.items()), 1):
        digests[name] = file_digest(path)
        work.progress("computing digests", number, len(work.sources))
    return {
        "sources": digests,
        "columns": dict(request.declared),
        "match": {"by": request.match.value, "radius_arcsec": request.radius_arcsec},
        "counts": work.counts.as_json(),
    }
