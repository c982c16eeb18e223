"""Bars of stages that take long, on standard error."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars
from rich.progress import Task as BarTask
from rich.text import Text

from al_service.survey.importing.request import Progress


class _RateColumn(ProgressColumn):
    """How many a second."""

    def render(self, task: BarTask) -> Text:
        """The rate of a stage, once it is known."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s")


@contextmanager
def progress_bars() -> Iterator[Progress]:
    """Bars with rate and time to go on standard error, one per stage.

    A stage whose end nobody knew in advance ends where the next one begins, or with
    the block.
    """
    tasks: dict[str, TaskID] = {}
    with Bars(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _RateColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    ) as bars:

        def progress(stage: str, done: int, total: int | None) -> None:
            if stage not in tasks:
                _end_open_stages(bars)
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)

        yield progress
        _end_open_stages(bars)


def _end_open_stages(bars: Bars) -> None:
    for task in bars.tasks:
        if task.total is None:
            bars.update(task.id, total=task.completed)
