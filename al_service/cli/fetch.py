"""`al fetch`: real galaxies out of the SDSS archives, ready to be imported."""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

import typer
from rich.console import Console

from al_service.cli.amounts import in_bytes, in_time
from al_service.cli.fetch_progress import progress_of
from al_service.cli.finite import finite
from al_service.cli.home import DEFAULT_HOME, HomeOption, read_settings
from al_service.cli.interruption import interruptible
from al_service.cli.output import JsonOption, write_json
from al_service.errors import Interrupted, InvalidInput
from al_service.fetch.checksums import Checksums
from al_service.fetch.download import State
from al_service.fetch.fetching import Fetch, Source, report
from al_service.fetch.folder import alone_in
from al_service.fetch.patience import Patience
from al_service.fetch.plan import Plan
from al_service.fetch.problems import FetchProblem
from al_service.fetch.sample import Sample
from al_service.fetch.sas import BANDS
from al_service.fetch.transfer import Manners

ASK_ABOVE_BYTES: Final = 10**9
"""A transfer larger than this wants a yes."""

NAMED: Final = 20
"""So many absent files are named on the screen; the manifest names all of them."""

app = typer.Typer(add_completion=False)


@app.command()
def fetch(
    folder: Annotated[
        Path | None,
        typer.Argument(help="Where to; default: HOME/fetch.", show_default=False),
    ] = None,
    release: Annotated[int, typer.Option(help="Data release, 12 to 18.")] = 17,
    limit: Annotated[
        int | None,
        typer.Option(help="At most so many galaxies, drawn at random by --seed."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Which random draw.")] = 0,
    where: Annotated[
        str | None,
        typer.Option(help="One more SQL condition, e.g. 's.ra BETWEEN 150 AND 160'."),
    ] = None,
    spectra: Annotated[bool, typer.Option(help="Fetch spectra.")] = True,
    full: Annotated[
        bool, typer.Option("--full", help="Spectra with every single exposure.")
    ] = False,
    bands: Annotated[
        str, typer.Option(help="Frames in these bands; '' for none.")
    ] = BANDS,
    connections: Annotated[
        int, typer.Option(min=1, max=16, help="Requests at the same time.")
    ] = Manners.connections,
    rate: Annotated[
        float,
        typer.Option(
            min=0.01, max=50, callback=finite, help="Requests that start in a second."
        ),
    ] = Manners.per_second,
    timeout: Annotated[
        float,
        typer.Option(
            min=1, callback=finite, help="Seconds of silence that end a connection."
        ),
    ] = Manners.timeout_seconds,
    tries: Annotated[
        int, typer.Option(min=1, help="Tries without progress, per file.")
    ] = Patience.tries,
    checksums: Annotated[
        Checksums, typer.Option(help="Look up published checksums.")
    ] = Checksums.AUTO,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the plan, write nothing.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask before large transfers.")
    ] = False,
    allow_missing: Annotated[
        bool,
        typer.Option(
            "--allow-missing", help="Files that the archive lacks are no failure."
        ),
    ] = False,
    json_file: JsonOption = None,
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Fetch galaxies with spectra, images and star-formation rates from SDSS.

    Asks SkyServer for the sample, shows what it will take, and brings spectra and
    frames into FOLDER beside catalog.csv and manifest.json. The same command continues
    after an interruption and checks what is there.
    """
    settings = read_settings(home)
    sample = _sample(
        release=release,
        limit=limit,
        seed=seed,
        where=where,
        bands=bands,
        spectra=spectra,
        full=full,
    )
    patience = Patience(tries=tries, first_seconds=settings.fetch_retry_seconds)
    manners = Manners(connections, rate, timeout, checksums, patience)
    source = Source(settings.skyserver_url, settings.archive_url, manners)
    where_to = folder if folder is not None else settings.home / "fetch"
    console = Console(stderr=True)
    with interruptible("the same command continues"):
        if dry_run:
            _show_plan_only(sample, where_to, source, console, json_file)
            return
        with alone_in(where_to):
            fetching = Fetch.begin(sample, where_to, source)
            _carry_out(
                fetching,
                console,
                json_file,
                yes=yes,
                allow_missing=allow_missing,
            )


def _sample(**given: object) -> Sample:
    try:
        return Sample(**given)  # type: ignore[arg-type]  # named and typed by `fetch`
    except InvalidInput as error:
        raise typer.BadParameter(str(error)) from error


def _show_plan_only(
    sample: Sample,
    folder: Path,
    source: Source,
    console: Console,
    json_file: Path | None,
) -> None:
    began = time.monotonic()
    known = Fetch.begin(sample, folder, source)
    if known.has_catalog:
        _show(plan := known.plan(), console)
        write_json(json_file, report(known, plan, seconds=time.monotonic() - began))
        return
    with TemporaryDirectory(prefix="al-fetch-") as elsewhere:
        asked = Fetch(sample, Path(elsewhere), source, {})
        asked.have_catalog()
        _show(plan := asked.plan(), console)
        facts = report(asked, plan, seconds=time.monotonic() - began)
    write_json(json_file, facts | {"folder": str(folder)})


def _carry_out(
    fetching: Fetch,
    console: Console,
    json_file: Path | None,
    *,
    yes: bool,
    allow_missing: bool,
) -> None:
    began = time.monotonic()
    console.print(f"asking {fetching.source.skyserver_url} for the sample")
    fetching.have_catalog()
    plan = fetching.plan()
    _show(plan, console)
    if plan.bytes_to_fetch > ASK_ABOVE_BYTES and not yes:
        _ask(plan)
    try:
        with progress_of(console, plan) as progress:
            fetching.have_files(plan, progress)
    except KeyboardInterrupt as error:
        here = plan.files - len(list(fetching.absent()))
        raise Interrupted(
            f"interrupted: {here} of {plan.files} files are in {fetching.folder}; "
            "the same command continues"
        ) from error
    finally:
        facts = report(fetching, plan, seconds=time.monotonic() - began)
        write_json(json_file, facts)
    _show_end(fetching, console)
    failed = fetching.of_state(State.FAILED)
    missing = fetching.of_state(State.MISSING)
    if failed or (missing and not allow_missing):
        raise FetchProblem(
            f"{len(missing)} file(s) are not in the archive, {len(failed)} did not "
            f"come whole; they are listed in {fetching.folder / 'manifest.json'}"
        )


def _ask(plan: Plan) -> None:
    size = in_bytes(plan.bytes_to_fetch)
    if not sys.stdin.isatty():
        raise typer.BadParameter(
            f"expected --yes for a transfer of {size} (--dry-run shows the plan)"
        )
    typer.confirm(f"Fetch {size}?", abort=True, err=True)


def _show(plan: Plan, console: Console) -> None:
    console.print(
        f"{plan.objects:,} galaxies: {plan.spectra:,} spectra and {plan.frames:,} "
        f"frames, {plan.here:,} of them here. To fetch: {plan.to_fetch:,} files, about "
        f"{in_bytes(plan.bytes_to_fetch)}, about {in_time(plan.seconds)}.",
        highlight=False,
        soft_wrap=True,
    )


def _show_end(fetching: Fetch, console: Console) -> None:
    counts = ", ".join(
        f"{len(fetching.of_state(state)):,} {state.value}" for state in State
    )
    console.print(f"{fetching.folder}: {counts}", highlight=False, soft_wrap=True)
    lacking = fetching.lacking()
    for item in lacking[:NAMED]:
        objects = ", ".join(item["objects"])
        console.print(
            f"{item['state']}: {item['file']} (specObjID {objects}): {item['why']}",
            highlight=False,
            soft_wrap=True,
        )
    if len(lacking) > NAMED:
        console.print(f"and {len(lacking) - NAMED:,} more", highlight=False)
