"""`al pool import`: a catalog, spectra and images become a pool."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from al_service.cli.home import DEFAULT_HOME, HomeOption, Workplace, workplace
from al_service.cli.interruption import interruptible
from al_service.cli.output import JsonOption, console_for, write_json
from al_service.cli.pool_scan import scan_now
from al_service.cli.progress_bars import progress_bars
from al_service.rounds.campaigns import LARGEST_NUMBER
from al_service.rounds.importing import ImportResult, import_files
from al_service.rounds.pools import find_pool
from al_service.survey.catalogs.column_map import read_declaration
from al_service.survey.importing.request import ImportRequest, MatchBy
from al_service.survey.positions import MATCH_RADIUS_ARCSEC

PathOption = Path | None

NO_PHOTOMETRY: Final = (
    "no object has photometry: where the catalog has fluxes or magnitudes, say which by"
    " --columns model=…,unit=…, under another name of the pool"
)


def import_pool(
    name: Annotated[str, typer.Argument(help="Name of the new pool.")],
    catalog: Annotated[
        PathOption,
        typer.Option(
            metavar="FILE", help="Catalog: FITS, VOTable, ECSV, CSV or Parquet."
        ),
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(
            metavar="OURS=THEIRS,…",
            help="What the catalog's columns mean, or a TOML file that says it;"
            " usual names are recognized.",
        ),
    ] = None,
    hdu: Annotated[
        str | None, typer.Option(help="Number or name of the HDU of a FITS catalog.")
    ] = None,
    spectra: Annotated[
        PathOption,
        typer.Option(
            metavar="DIR",
            help="Folder of spec-*.fits or spPlate-*.fits, compressed or not.",
        ),
    ] = None,
    images: Annotated[
        PathOption,
        typer.Option(
            metavar="PATH",
            help="Folder of frame-*.fits.bz2 or of cutouts, or an npy, npz, Zarr or"
            " FITS of all cutouts.",
        ),
    ] = None,
    match: Annotated[
        MatchBy, typer.Option(help="How spectra and images find their objects.")
    ] = MatchBy.POSITION,
    radius: Annotated[
        float, typer.Option(help="Arcseconds within which positions are one galaxy.")
    ] = MATCH_RADIUS_ARCSEC,
    pipeline_z: Annotated[
        bool,
        typer.Option(
            "--pipeline-z",
            help="Take the redshifts of the spectra's pipeline for known labels.",
        ),
    ] = False,
    seed: Annotated[
        int,
        typer.Option(min=0, max=LARGEST_NUMBER, help="Decides which galaxies examine."),
    ] = 0,
    skip_bad: Annotated[
        bool,
        typer.Option("--skip-bad", help="Import the rest, and list what was left out."),
    ] = False,
    rejected: Annotated[
        PathOption,
        typer.Option(
            metavar="FILE",
            help="Where bad rows are listed; default: beside what is imported.",
        ),
    ] = None,
    scan: Annotated[
        bool,
        typer.Option(
            "--scan/--no-scan",
            help="Scan spectra for redshifts now; else a worker does, or al pool scan.",
        ),
    ] = True,
    home: HomeOption = DEFAULT_HOME,
    json_file: JsonOption = None,
) -> None:
    """Import a pool: all of it, or nothing and every bad row named.

    An import that was interrupted is simply repeated; one that is repeated changes
    nothing.
    """
    request = ImportRequest(
        catalog=catalog,
        declared=read_declaration(columns),
        hdu=hdu,
        spectra=spectra,
        images=images,
        match=match,
        radius_arcsec=radius,
        pipeline_z=pipeline_z,
    )
    listed = rejected or _beside(request)
    with workplace(home) as place:
        result = _carry_out(
            place, name, request, seed=seed, listed=listed, skip_bad=skip_bad
        )
        if scan and result.counts.spectra:
            scan_now(place, name)
        with place.sessions() as session:
            has = find_pool(session, name).modalities
    console = console_for(json_file)
    _report(console, name, result, listed)
    if catalog is not None and "photometry" not in has:
        console.print(NO_PHOTOMETRY, style="yellow", highlight=False)
    write_json(json_file, _as_json(name, result, listed))


def _carry_out(
    place: Workplace,
    name: str,
    request: ImportRequest,
    *,
    seed: int,
    listed: Path,
    skip_bad: bool,
) -> ImportResult:
    with (
        interruptible("nothing was imported: repeat the command"),
        progress_bars() as progress,
    ):
        return import_files(
            place.sessions,
            name,
            request,
            artifacts=place.settings.artifacts_folder,
            seed=seed,
            rejected=listed,
            skip_bad=skip_bad,
            progress=progress,
        )


def _beside(request: ImportRequest) -> Path:
    given = request.catalog or request.spectra or request.images
    if given is None:
        raise typer.BadParameter("give --catalog, --spectra or --images")
    return given.resolve().with_name(f"{given.resolve().name}.rejected.csv")


def _report(console: Console, name: str, result: ImportResult, listed: Path) -> None:
    counts = result.counts
    old = "nothing new: " if result.unchanged else ""
    lines = [
        f"{old}pool {name}: {counts.objects:,} objects of {counts.galaxies:,} galaxies"
    ]
    if counts.repeated:
        lines.append(f"{counts.repeated:,} repeat observations share a galaxy")
    if counts.spectra:
        lines.append(
            f"{counts.spectra:,} spectra, {counts.spectra_matched:,} of known objects"
        )
    if counts.images:
        lines.append(
            f"{counts.images:,} images, {counts.images_matched:,} of known objects"
        )
    if counts.known_labels:
        lines.append(f"{counts.known_labels:,} objects with known labels")
    if counts.distrusted_labels:
        lines.append(
            f"{counts.distrusted_labels:,} known labels left out by their flags"
        )
    if counts.problems:
        lines.append(f"{counts.problems:,} problem(s) left out, listed in {listed}")
    for line in lines:
        console.print(line, highlight=False)


def _as_json(
    name: str, result: ImportResult, listed: Path
) -> dict[str, Any]:  # JSON: any shape
    return {
        "name": name,
        "manifest_digest": result.digest,
        "unchanged": result.unchanged,
        "rejected": str(listed) if result.counts.problems else None,
        **asdict(result.counts),
    }
