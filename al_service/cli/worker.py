"""`al worker`: one process that works off a queue, or keeps the schedule."""

import os
import socket
import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from al_service.cli.home import (
    DEFAULT_HOME,
    HomeOption,
    announce_new,
    read_settings,
    workplace,
)
from al_service.errors import StackProblem
from al_service.local.assembly import PYTHON, environment_of
from al_service.local.home import open_home
from al_service.local.record import running_stack
from al_service.rounds.doorbell import SCORE_QUEUE, TRAIN_QUEUE
from al_service.rounds.readiness import PULSE, SCHEDULE, worker_age
from al_service.settings import Settings

app = typer.Typer(add_completion=False)


class Queue(StrEnum):
    """What a worker works off."""

    TRAIN = TRAIN_QUEUE  # full runs: one worker per GPU or machine
    SCORE = SCORE_QUEUE  # head runs, scoring, planning: as many as wanted


@app.command()
def worker(
    home: HomeOption = DEFAULT_HOME,
    queue: Annotated[Queue | None, typer.Option(help="The queue to work off.")] = None,
    schedule: Annotated[
        bool, typer.Option("--schedule", help="Keep the schedule instead.")
    ] = False,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Only say whether the one on this machine is alive."
        ),
    ] = False,
) -> None:
    """Work for the servers of AL_DATABASE_URL and AL_BROKER_URL, or of a running stack.

    Ends on SIGTERM, within 10 s. Start more of them to work off a queue faster.
    """
    if (queue is None) == (not schedule):
        raise typer.BadParameter("give either --queue train|score or --schedule")
    given = read_settings(home)
    announce_new(home)
    settings = _reachable(home, given)
    role = SCHEDULE if queue is None else queue.value
    if check:
        if queue is None:
            within = settings.sweep_within.total_seconds()
            _report(role, _schedule_age(settings), within)
        else:
            _report(role, _worker_age(home, queue), settings.worker_seen_seconds)
        return
    os.execve(  # this very process: signals and exit codes need no translation
        sys.executable,
        [*PYTHON, "-m", "workers", role],
        {**os.environ, **environment_of(settings)},
    )


def _reachable(home: Path, settings: Settings) -> Settings:
    place = open_home(home)
    settings = settings.model_copy(update={"home": place.path})
    if settings.database_url is not None and settings.broker_url is not None:
        return settings
    stack = running_stack(place)
    if stack is None:
        raise StackProblem(
            "a worker needs servers: set AL_DATABASE_URL and AL_BROKER_URL, "
            f"or start a stack with `al up --home {home}`"
        )
    return stack.settings(settings)


def _schedule_age(settings: Settings) -> float | None:
    pulse = settings.home / PULSE
    return time.time() - pulse.stat().st_mtime if pulse.exists() else None


def _worker_age(home: Path, queue: Queue) -> float | None:
    with workplace(home) as place, place.sessions() as session:
        return worker_age(session, queue.value, host=socket.gethostname())


def _report(role: str, age: float | None, limit: float) -> None:
    if age is None or age > limit:
        seen = "never" if age is None else f"{age:.0f} s ago"
        raise StackProblem(
            f"{role} on {socket.gethostname()} was last seen {seen}: "
            f"expected within {limit:.0f} s"
        )
    typer.echo(f"{role} on {socket.gethostname()} was seen {age:.0f} s ago")
