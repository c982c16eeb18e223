"""How far an experiment is: a bar, or a line per trial."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as ProgressBar

from al_service.studies.experiment.running import Progress


@contextmanager
def progress_of(console: Console) -> Iterator[Callable[[Progress], None]]:
    """A bar with remaining time; a line per trial where none can move."""
    if not console.is_terminal:

        def say(progress: Progress) -> None:
            for line in (*_finished(progress), _said(progress)):
                console.print(line, highlight=False)

        yield say
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
    )
    with ProgressBar(*columns, console=console) as bar:
        task = bar.add_task("experiment", total=None, left="")

        def show(progress: Progress) -> None:
            for line in _finished(progress):
                bar.console.print(line, highlight=False)
            bar.update(
                task,
                description=progress.job or "experiment",
                completed=progress.done,
                total=progress.total,
                left=_left(progress),
            )

        yield show


def _finished(progress: Progress) -> Iterator[str]:
    """What the last trial has cost."""
    if progress.finished is not None:
        trial = progress.finished
        yield (
            f"{trial['system']}-{trial['seed']}: {trial['fit_seconds']:.1f} s to fit, "
            f"{trial['predict_seconds']:.1f} s to predict, "
            f"{trial['seconds']:.1f} s here in all"
        )


def _said(progress: Progress) -> str:
    parts = [f"experiment: {progress.done}/{progress.total} trials"]
    parts += [f"{progress.job} begins"] if progress.job else []
    return ", ".join([*parts, *([_left(progress)] if _left(progress) else [])])


def _left(progress: Progress) -> str:
    left = progress.seconds_left
    if left is None:
        return ""
    return f"{left:.0f} s left" if left < 600.0 else f"{left / 3600.0:.1f} h left"
