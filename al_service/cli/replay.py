"""`al replay`: compare strategies on labels that are known."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final, Protocol

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.progress import Progress as ProgressBar

from al_service.cli.home import DEFAULT_HOME, HomeOption, read_settings, workplace
from al_service.cli.interest import parse_interest
from al_service.cli.interruption import interruptible
from al_service.cli.output import JsonOption, console_for, write_json
from al_service.cli.replay_tables import replay_tables
from al_service.rounds.artifacts import Artifacts
from al_service.rounds.pools import POOLS_FOLDER, find_pool
from al_service.studies.arms import known_names
from al_service.studies.replay import Progress, run_replay
from al_service.studies.replay_pages import as_html, as_markdown
from al_service.studies.replay_report import replay_report
from al_service.studies.settings import MOST_PROCESSES, ReplaySettings
from al_service.survey import sdss10k

CURVES_FOLDER: Final = "replays"
"""Below the artifacts: curves that are finished."""

_LINE_EVERY_SECONDS = 10.0

app = typer.Typer(add_completion=False)


@app.command()
def replay(
    pool: Annotated[str, typer.Option(help="A pool with known labels.")] = "sdss10k",
    strategies: Annotated[
        str,
        typer.Option(
            help=f"Names with commas: {', '.join(known_names())}; with other settings "
            "as in lcmd:density_alpha=1:random_share=0.25, and "
            "lcmd:modalities=photometry+image hides the spectra."
        ),
    ] = "default,random",
    seeds: Annotated[int, typer.Option(help="Campaigns per strategy.")] = 4,
    first_seed: Annotated[
        int,
        typer.Option(help="First seed: try settings on other skies than prove them."),
    ] = 0,
    processes: Annotated[
        int, typer.Option(help="Campaigns at a time, a core each.")
    ] = MOST_PROCESSES,
    initial: Annotated[int, typer.Option(help="Random labels at the start.")] = 128,
    batch: Annotated[int, typer.Option(help="Labels per round.")] = 128,
    rounds: Annotated[int, typer.Option(help="Batches after the start.")] = 8,
    interest: Annotated[
        list[str] | None,
        typer.Option(
            help="What matters more, such as z>0.2:2 or 0.1<z<0.3:4; repeatable."
        ),
    ] = None,
    wrong_labels: Annotated[
        float,
        typer.Option(
            help="Share of the objects that may be asked for that get the label of "
            "another galaxy."
        ),
    ] = 0.0,
    junk: Annotated[
        float,
        typer.Option(
            help="Share of them that are no galaxies; for pools of photometry alone."
        ),
    ] = 0.0,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Compute finished curves again.")
    ] = False,
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the tables as Markdown.")
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write a page with pictures."),
    ] = None,
    json_file: JsonOption = None,
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Replay campaigns on a pool whose labels are known, and compare strategies.

    Every strategy starts from the same random labels and is examined on the same
    galaxies, which nobody may ask for. Random always runs: it is what the ratios are
    against. Finished curves are kept: an interrupted replay goes on where it was.
    """
    settings = _settings(
        pool=pool,
        strategies=tuple(name.strip() for name in strategies.split(",")),
        seeds=seeds,
        first_seed=first_seed,
        processes=processes,
        initial=initial,
        batch=batch,
        rounds=rounds,
        interest=tuple(parse_interest(one) for one in interest or ()),
        wrong_labels=wrong_labels,
        junk=junk,
    )
    console = console_for(json_file)
    artifacts = Artifacts(read_settings(home).artifacts_folder)
    with (
        interruptible("finished curves are kept: the same command continues"),
        _pool_folder(pool, home) as path,
        _progress(console) as shown,
    ):
        curves = run_replay(
            path,
            settings,
            progress=shown.points,
            on_stage=shown.stage,
            folder=None if fresh else artifacts.root / CURVES_FOLDER,
            scans=artifacts.scans,
        )
    report = replay_report(settings, curves)
    write_json(json_file, report)
    if markdown is not None:
        _write(markdown, as_markdown(report))
    if page is not None:
        _write(page, as_html(report, curves))
    for table in replay_tables(report, curves):
        console.print(table)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _settings(**given: Any) -> ReplaySettings:  # Any: what pydantic will check
    try:
        return ReplaySettings(**given)
    except ValidationError as error:
        problems = (
            f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}, "
            f"got {problem['input']!r}"
            if problem["loc"]
            else problem["msg"].removeprefix("Value error, ")
            for problem in error.errors()
        )
        raise typer.BadParameter("; ".join(problems)) from error


@contextmanager
def _pool_folder(name: str, home: Path) -> Iterator[Path]:
    """The arrays of a pool; only an imported pool needs the home's database."""
    if name == sdss10k.POOL_NAME:
        path = read_settings(home).artifacts_folder / POOLS_FOLDER / name
        sdss10k.write_sdss10k(path)
        yield path
        return
    with workplace(home) as place:
        with place.sessions() as session:
            path = place.settings.artifacts_folder / find_pool(session, name).arrays
        yield path


class _Shown(Protocol):
    """Where progress is seen."""

    def points(self, progress: Progress) -> None:
        """Show how many points of curves there are."""

    def stage(self, name: str, done: int, total: int) -> None:
        """Show how far scanning or preparing is."""


@contextmanager
def _progress(console: Console) -> Iterator[_Shown]:
    """Bars with rate and remaining time; lines now and then where none can move."""
    if not console.is_terminal:
        yield _ProgressLines(console)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}"),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
    )
    with ProgressBar(*columns, console=console) as bars:
        yield _ProgressBars(bars)


class _ProgressBars:
    """Progress for people: a bar for each thing that takes time."""

    def __init__(self, bars: ProgressBar) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def points(self, progress: Progress) -> None:
        """Move the bar of the curves."""
        rate, left = _pace(progress)
        self._move("replay", progress.done, progress.total, "points", rate, left)

    def stage(self, name: str, done: int, total: int) -> None:
        """Move the bar of what comes before them."""
        self._move(name, done, total, "objects")

    def _move(
        self,
        name: str,
        done: int,
        total: int,
        unit: str,
        rate: str = "",
        left: str = "",
    ) -> None:
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name, unit=unit, rate="", left="")
        self._bars.update(
            self._tasks[name], completed=done, total=total, rate=rate, left=left
        )


class _ProgressLines:
    """Progress for logs: a line at most every few seconds."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._next_seconds = 0.0

    def points(self, progress: Progress) -> None:
        """Print a line of the curves if it is time for one."""
        if progress.seconds < self._next_seconds and progress.done < progress.total:
            return
        self._next_seconds = progress.seconds + _LINE_EVERY_SECONDS
        rate, left = _pace(progress)
        self._console.print(
            f"replay: {progress.done}/{progress.total} points, {rate}, {left}"
        )

    def stage(self, name: str, done: int, total: int) -> None:
        """Print a line at the start and the end of what comes before them."""
        if done in (0, total):
            self._console.print(f"{name}: {done}/{total} objects", highlight=False)


def _pace(progress: Progress) -> tuple[str, str]:
    left = progress.seconds_left
    remaining = "" if left is None else f"{left:.0f} s left"
    return f"{progress.rate * 60:.1f}/min", remaining
