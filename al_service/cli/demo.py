"""`al demo`: the main job on a fresh machine, from start to end."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from al_service.cli.demo_campaigns import Duel, KnownLabels, Plan, open_duel, play
from al_service.cli.demo_report import show_round, show_summary, write_report
from al_service.cli.demo_surveys import SIMULATED_OBJECTS, SKIES, Survey, pool_of
from al_service.cli.home import HomeOption
from al_service.cli.output import JsonOption, console_for, write_json
from al_service.client import Client
from al_service.errors import StackProblem
from al_service.local.assembly import PYTHON
from al_service.local.home import Home, open_home
from al_service.local.processes import end, record_of, spawn, tail, wait_until
from al_service.local.record import StackRecord, StackState, running_stack

DEMO_HOME: Final = Path(".al/demo")

START_SECONDS: Final = 180.0
"""A cold disk under two busy cores needs a minute to import torch twice."""

STOP_SECONDS: Final = 20.0
"""`al up` stops everything within 15 s."""

app = typer.Typer(add_completion=False)


@app.command()
def demo(
    survey: Annotated[
        Survey,
        typer.Option(help="Real galaxies with photometry, or a simulated survey."),
    ] = Survey.SDSS10K,
    rounds: Annotated[
        int | None,
        typer.Option(min=1, help="Batches after the first labels: 6, or 3 simulated."),
    ] = None,
    initial: Annotated[
        int | None,
        typer.Option(min=20, help="Labels before the first training: 100, or 120."),
    ] = None,
    batch: Annotated[
        int | None, typer.Option(min=1, help="Labels a round: 50, or 60.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of both campaigns.")] = 0,
    objects: Annotated[
        int, typer.Option(min=100, help="Of the simulated survey.", hidden=True)
    ] = SIMULATED_OBJECTS,
    home: HomeOption = DEMO_HOME,
    json_file: JsonOption = None,
) -> None:
    """Run two campaigns on ten thousand real SDSS galaxies, and compare them.

    Starts the whole stack, asks and tells over HTTP with known labels in the role of
    the observer, and writes learning-curve.png and summary.json into the home. With
    `--survey simulated` on four thousand objects with images, photometry and, three in
    ten, spectra: some ten minutes on two cores.
    """
    started = time.monotonic()
    console = console_for(json_file)
    sky = SKIES[survey]
    plan = Plan(
        sky,
        rounds=sky.rounds if rounds is None else rounds,
        initial=sky.initial if initial is None else initial,
        batch=sky.batch if batch is None else batch,
        seed=seed,
    )
    with running(home, console) as stack, Client(stack.url) as client:
        pool, arrays = pool_of(survey, home, objects=objects)
        observer = KnownLabels.of_pool(arrays, source=sky.source)
        duel = open_duel(client, plan, pool)
        _introduce(console, duel, observer)
        played = []
        for one in play(client, duel, observer, console):
            show_round(console, duel, one)
            played.append(one)
    summary = write_report(home, duel, played, wall_seconds=time.monotonic() - started)
    show_summary(console, duel, played, summary, home)
    write_json(json_file, summary)


@contextmanager
def running(home: Path, console: Console) -> Iterator[StackRecord]:
    """The stack of this home: the one that runs, or one for our own duration."""
    place = open_home(home)
    there = running_stack(place)
    if there is not None and there.state is StackState.READY:
        console.print(f"using the stack that runs in {home}", highlight=False)
        yield there
        return
    log = place.log("demo")
    console.print(
        f"starting PostgreSQL, Valkey, the API and workers in {home} …",
        highlight=False,
    )
    process = spawn(
        [*PYTHON, "-m", "al_service.cli", "up", "--home", place.path, "--port", "0"],
        log=log,
        folder=place.path,
        at_our_death=signal.SIGTERM,
    )
    record = record_of("al up", process.pid)
    try:
        if not wait_until(
            lambda: _is_ready(place) or process.poll() is not None,
            seconds=START_SECONDS,
        ):
            raise StackProblem(f"the stack was not ready in time; see {log}")
        stack = running_stack(place)
        if process.poll() is not None or stack is None:
            raise StackProblem(f"the stack did not start: {tail(log)}")
        yield stack
    finally:
        console.print("stopping the stack …")
        end([record], signal.SIGTERM, grace=STOP_SECONDS)
        process.wait(timeout=STOP_SECONDS)


def _is_ready(place: Home) -> bool:
    stack = running_stack(place)
    return stack is not None and stack.state is StackState.READY


def _introduce(console: Console, duel: Duel, observer: KnownLabels) -> None:
    plan = duel.plan
    console.print(
        f"{len(observer):,} {plan.sky.introduction}\nTwo campaigns with the same"
        f" {plan.initial} first labels, then {plan.rounds} rounds of {plan.batch}:\n"
        f"[bold]{duel.strategy}[/] asks for what teaches most, [bold]random[/] for"
        " anything.",
        highlight=False,
    )
