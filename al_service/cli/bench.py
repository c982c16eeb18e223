"""`al bench`: the budgets as ratios against a named peer in the same run."""

import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as ProgressBar
from rich.table import Table

from al_service.cli.benchmarks import ask, importing, score, tell
from al_service.cli.home import DEFAULT_HOME, HomeOption
from al_service.cli.output import JsonOption, console_for, write_json
from al_service.studies.speed import (
    accuracy,
    order,
    reference,
    scanning,
    simulate,
    variance,
)
from al_service.studies.speed.measuring import (
    Budget,
    Measurement,
    Size,
)
from al_service.studies.surroundings import surroundings

Measure = Callable[[Size, Path], list[Measurement]]

app = typer.Typer(add_completion=False)


def _without_home(measure: Callable[[Size], list[Measurement]]) -> Measure:
    return lambda size, _home: measure(size)


BENCHMARKS: Final[Mapping[str, Measure]] = {
    variance.NAME: _without_home(variance.measure),
    order.NAME: _without_home(order.measure),
    reference.NAME: _without_home(reference.measure),
    accuracy.FIT: _without_home(accuracy.measure_fit),
    accuracy.ACCURACY: _without_home(accuracy.measure_accuracy),
    simulate.NAME: _without_home(simulate.measure),
    score.NAME: score.measure,
    tell.NAME: tell.measure,
    ask.NAME: ask.measure,
    scanning.NAME: _without_home(scanning.measure),
    importing.NAME: importing.measure,
}
"""Name to measurement, in the order in which they run."""

_WHOLE_FROM: Final = 1000
"""Larger numbers are shown without decimals."""


@app.command()
def bench(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAMES]...",
            help=f"Some of {', '.join(BENCHMARKS)}; without names, all.",
            show_default=False,
        ),
    ] = None,
    size: Annotated[
        Size,
        typer.Option(help="full: the sizes of the budgets; small: does it work?"),
    ] = Size.FULL,
    json_file: JsonOption = None,
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Measure speed and memory against peers in the same run.

    A peer is the same work at its barest. Ratios hold on any machine; budgets were
    set for two cores that nobody else uses. Servers are started in a new folder below
    --home and are gone afterwards.
    """
    chosen = _chosen(names or [])
    console = console_for(json_file)
    # Servers are started here: like Ctrl-C, SIGTERM must end them, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    around = surroundings()
    measurements: list[Measurement] = []
    try:
        for some in _measure(chosen, size, home, console):
            measurements += some
    finally:  # what has been measured is not lost with what cannot be
        around["load_average_after"] = surroundings()["load_average"]
        report = {
            "settings": {"size": size.value, "benchmarks": chosen},
            "surroundings": around,
            "rows": [one.as_json() for one in measurements],
        }
        write_json(json_file, report)
        console.print(_table(measurements))
        console.print(_facts(measurements))
        console.print(_setting(around))


def _chosen(names: list[str]) -> list[str]:
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        raise typer.BadParameter(
            f"expected some of {', '.join(BENCHMARKS)}, found {', '.join(unknown)}"
        )
    return [name for name in BENCHMARKS if name in names or not names]


def _measure(
    names: list[str], size: Size, home: Path, console: Console
) -> Iterator[list[Measurement]]:
    """The measurements of one benchmark after the other."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with ProgressBar(*columns, console=console) as bar:
        task = bar.add_task("", total=len(names))
        for name in names:
            bar.update(task, description=name)
            yield _at_this_size(BENCHMARKS[name](size, home), size)
            bar.advance(task)


def _at_this_size(measurements: list[Measurement], size: Size) -> list[Measurement]:
    """Budgets are for full sizes only."""
    if size is Size.FULL:
        return measurements
    return [replace(one, budget=Budget()) for one in measurements]


def _table(measurements: list[Measurement]) -> Table:
    table = Table(title="al bench: medians; a ratio below 1 is better than the peer")
    for heading in ("what", "ours", "peer", "its", "ratio", "budget"):
        numeric = heading in ("ours", "its", "ratio")
        table.add_column(
            heading, justify="right" if numeric else "left", no_wrap=numeric
        )
    for one in measurements:
        table.add_row(
            f"{one.benchmark}: {one.what}",
            _number(one.ours, one.unit),
            one.peer,
            _number(one.theirs, one.unit),
            _number(one.ratio),
            _allowed(one.budget, one.unit),
        )
    return table


def _facts(measurements: list[Measurement]) -> Table:
    table = Table(title="what else was seen", show_header=False)
    for one in measurements:
        shown = ", ".join(
            f"{name} {_number(fact) if isinstance(fact, float) else fact}"
            for name, fact in one.facts.items()
        )
        if shown:
            table.add_row(one.benchmark, shown)
    return table


def _setting(around: dict[str, Any]) -> str:  # Any: JSON
    threads = around["threads"]
    return (
        f"{around['cores']} cores, {threads['blas']} threads for numpy, "
        f"{threads['torch']} for torch; load average {around['load_average'][0]} "
        f"before, {around['load_average_after'][0]} after"
    )


def _allowed(budget: Budget, unit: str) -> str:
    parts = []
    if budget.at_most is not None:
        parts.append(f"≤ {_number(budget.at_most, unit)}")
    if budget.ratio is not None:
        parts.append(f"ratio ≤ {_number(budget.ratio)}")
    return ", ".join(parts)


def _number(value: float | None, unit: str = "") -> str:
    if value is None:
        return ""
    digits = f"{value:,.0f}" if abs(value) >= _WHOLE_FROM else f"{value:.3g}"
    return f"{digits} {unit}".strip()
