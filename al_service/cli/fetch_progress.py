"""How far a fetch has come: a bar for people, lines for logs."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as ProgressBar

from al_service.cli.amounts import in_bytes, in_time
from al_service.fetch.plan import Plan
from al_service.fetch.transfer import Standing

LINE_EVERY_SECONDS: Final = 10.0


@contextmanager
def progress_of(console: Console, plan: Plan) -> Iterator[Callable[[Standing], None]]:
    """Something to tell of progress; it shows rate and remaining time."""
    clock = _Clock(plan)
    if not console.is_terminal:
        yield _Lines(console, clock)
        return
    columns = (
        TextColumn("fetch"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("files"),
        TextColumn("{task.fields[pace]}"),
        TimeElapsedColumn(),
    )
    with ProgressBar(*columns, console=console) as bar:
        task = bar.add_task("fetch", total=plan.files, pace="")

        def show(standing: Standing) -> None:
            bar.update(task, completed=standing.files, pace=clock.pace(standing))

        yield show


class _Clock:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def pace(self, standing: Standing) -> str:
        seconds = max(self.seconds, 1e-3)
        parts = [f"{in_bytes(standing.received / seconds)}/s"]
        if standing.files:
            left = (self.plan.files - standing.files) * seconds / standing.files
            parts.append(f"{in_time(left)} left")
        if standing.missing:
            parts.append(f"{standing.missing} missing")
        if standing.failed:
            parts.append(f"{standing.failed} failed")
        return ", ".join(parts)

    def line(self, standing: Standing) -> str:
        return f"fetch: {standing.files}/{self.plan.files} files, {self.pace(standing)}"


class _Lines:
    """A line at most every few seconds, and one at the end."""

    def __init__(self, console: Console, clock: _Clock) -> None:
        self._console = console
        self._clock = clock
        self._next_seconds = 0.0

    def __call__(self, standing: Standing) -> None:
        done = standing.files == self._clock.plan.files
        if self._clock.seconds < self._next_seconds and not done:
            return
        self._next_seconds = self._clock.seconds + LINE_EVERY_SECONDS
        self._console.print(self._clock.line(standing), highlight=False)
