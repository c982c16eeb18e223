"""`al experiment`: every model of the comparison, side by side."""

from collections.abc import Iterator
from difflib import get_close_matches
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from al_service.cli.experiment_pools import experiment_sky
from al_service.cli.experiment_progress import progress_of
from al_service.cli.home import DEFAULT_HOME, HomeOption, read_settings
from al_service.cli.interruption import interruptible
from al_service.cli.output import (
    STDOUT,
    JsonOption,
    console_for,
    expect_writable,
    write_json,
    write_text,
)
from al_service.cli.progress_bars import progress_bars
from al_service.evaluation.report import ratio_metric
from al_service.studies.experiment.cells import number, sees
from al_service.studies.experiment.markdown import as_markdown
from al_service.studies.experiment.page import as_page
from al_service.studies.experiment.registry import all_systems, runnable
from al_service.studies.experiment.report import Report, as_json
from al_service.studies.experiment.running import run_experiment, trials_folder
from al_service.studies.experiment.settings import (
    LEAST,
    QUICK,
    Effort,
    ExperimentSettings,
)
from al_service.studies.experiment.sky import ExperimentSky
from al_service.studies.experiment.stored_predictions import StoredPredictions
from al_service.studies.experiment.system import in_words
from al_service.studies.experiment.table import Line

EXPERIMENTS_FOLDER = "experiments"
"""Folder of the trials inside the artifacts folder."""

QUICK_SIZES = {"n_train": 600, "n_validation": 200, "n_test": 300}
"""Enough for every figure to be defined."""

SHOWN = {"crps": "crps", "68 %": "coverage68", "95 %": "coverage95"}
"""Heading to metric: what fits into 80 columns beside the error."""

app = typer.Typer(
    help="Compare models on shared splits.", no_args_is_help=True, add_completion=False
)


@app.command()
def systems(json_file: JsonOption = None) -> None:
    """List every model, what kind it is and what it looks at."""
    known = all_systems().values()
    table = Table("system", "family", "inputs")
    for system in known:
        table.add_row(
            system.name, system.family, in_words(system.inputs, system.family)
        )
    console_for(json_file).print(table)
    write_json(
        json_file,
        [
            {
                "system": system.name,
                "family": system.family.value,
                "inputs": list(system.inputs),
            }
            for system in known
        ],
    )


@app.command()
def run(
    pool: Annotated[
        str,
        typer.Option(
            help="A pool with known labels, or a published table: mgs, eco_resolve."
        ),
    ] = "sdss10k",
    systems: Annotated[
        str, typer.Option(help="Names with commas; all: every one the pool allows.")
    ] = "all",
    seeds: Annotated[int, typer.Option(min=1, help="Divisions of the galaxies.")] = 1,
    first_seed: Annotated[
        int,
        typer.Option(
            min=0, help="Number of the first division: a long run in parts, a day each."
        ),
    ] = 0,
    quick: Annotated[
        bool, typer.Option("--quick", help="Few objects, little training: minutes.")
    ] = False,
    train: Annotated[
        int | None, typer.Option(min=LEAST, help="Objects that teach.")
    ] = None,
    test: Annotated[
        int | None, typer.Option(min=LEAST, help="Objects that examine.")
    ] = None,
    markdown: Annotated[
        Path | None,
        typer.Option(help="Write the table as Markdown; - for standard output."),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(help="Write a page with table and pictures; - likewise."),
    ] = None,
    data: Annotated[
        Path, typer.Option(help="Folder of published tables.", envvar="AL_TEST_DATA")
    ] = Path("../shared/data"),
    json_file: JsonOption = None,
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Train every model on the same galaxies and examine all on the same others.

    Trials are kept below the home: what was interrupted goes on where it stopped, and
    more seeds or systems are added to what is there.
    """
    console = _console({"--json": json_file, "--markdown": markdown, "--html": html})
    chosen = _chosen(systems)
    with (
        interruptible("finished trials are kept: the same command goes on"),
        progress_of(console) as show,
        experiment_sky(pool, home, data, console) as sky,
    ):
        given = {
            "seeds": seeds,
            "first_seed": first_seed,
            "n_train": train,
            "n_test": test,
        }
        settings = _settings(sky, pool, chosen, quick=quick, given=given)
        folder = read_settings(home).artifacts_folder / EXPERIMENTS_FOLDER
        trials = run_experiment(sky, settings, folder, progress=show)
        place = folder / trials_folder(sky, settings)
    report = Report.of(settings, trials)
    for table in _tables(report.lines):
        console.print(table)
    write_json(json_file, as_json(report, trials))
    write_text(markdown, as_markdown(report))
    if html is not None:
        stored = {
            name: StoredPredictions.read(place / f"{name}-{first_seed}")
            for name in settings.systems
        }
        with progress_bars() as bars:
            page = as_page(report, stored, partial(bars, "drawing the page"))
        write_text(html, page)


def _console(files: dict[str, Path | None]) -> Console:
    """For people; what could not be written at the end is refused at the beginning."""
    for option, file in files.items():
        expect_writable(option, file)
    named = [(option, file) for option, file in files.items() if file is not None]
    for (one, file), (other, another) in combinations(named, 2):
        if file.resolve() == another.resolve():
            place = "standard output" if file == STDOUT else file
            raise typer.BadParameter(
                f"expected one report on {place}, found {one} and {other}"
            )
    printed = STDOUT in files.values()
    return console_for(STDOUT if printed else None)


def _chosen(text: str) -> tuple[str, ...] | None:
    """Names of systems; None: all that the pool allows."""
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if names == ("all",):
        return None
    if not names:
        raise typer.BadParameter(f"--systems: expected names or all, found {text!r}")
    known = all_systems()
    for name in names:
        if name not in known:
            near = get_close_matches(name, [*known, "all"], n=1)
            raise typer.BadParameter(
                f"--systems: expected all, or names that `al experiment systems` "
                f"lists, found {name!r}{f': {near[0]}?' if near else ''}"
            )
        if names.count(name) > 1:
            raise typer.BadParameter(
                f"--systems: expected each name once, found {name!r} twice"
            )
    return names


def _settings(
    sky: ExperimentSky,
    pool: str,
    names: tuple[str, ...] | None,
    *,
    quick: bool,
    given: dict[str, int | None],
) -> ExperimentSettings:
    able = runnable(sky.arrays.modalities, has_latents=sky.latents is not None)
    chosen = able if names is None else names
    unable = [name for name in chosen if name not in able]
    if unable:
        raise typer.BadParameter(
            f"systems: expected some of {', '.join(able)} for the pool {pool}, "
            f"found {', '.join(unable)}"
        )
    numbers = dict(QUICK_SIZES if quick else {})
    numbers |= {name: value for name, value in given.items() if value is not None}
    return ExperimentSettings(
        pool=pool, systems=chosen, effort=QUICK if quick else Effort(), **numbers
    )


def _tables(lines: list[Line]) -> Iterator[Table]:
    """Per target: what fits a terminal; all figures are in the files."""
    for target in dict.fromkeys(line.target for line in lines):
        shown = {ratio_metric(target): ratio_metric(target), **SHOWN}
        table = Table(
            title=target, box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False
        )
        table.add_column("system", no_wrap=True)
        table.add_column("sees", min_width=len("photometry,"))
        for heading in (*shown, "fit s"):
            table.add_column(heading, justify="right", no_wrap=True)
        for line in lines:
            if line.target == target:
                table.add_row(
                    line.system,
                    sees(line),
                    *(number(line.metrics.get(name)) for name in shown.values()),
                    number(line.fit_seconds),
                )
        yield table
