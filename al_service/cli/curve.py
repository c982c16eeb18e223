"""`al curve`: what the labels have taught so far."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from al_service.cli.home import DEFAULT_HOME, HomeOption, workplace
from al_service.cli.output import JsonOption, console_for, write_json
from al_service.cli.terminal_plot import Series, plot
from al_service.evaluation.curve_picture import Line, Panel, PictureKind
from al_service.rounds import campaigns, comparing, population, progress
from al_service.rounds.curve_drawing import (
    draw_learning_curve,
    panels_of,
    saving_sentences,
)
from al_service.rounds.population import PopulationError, population_sentences

app = typer.Typer(add_completion=False)


@app.command()
def curve(
    campaign: Annotated[str, typer.Argument(help="Name or number of the campaign.")],
    png: Annotated[
        Path | None, typer.Option(help="Write the picture here.", show_default=False)
    ] = None,
    svg: Annotated[
        Path | None, typer.Option(help="Write a drawing here.", show_default=False)
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    json_file: JsonOption = None,
) -> None:
    """Draw the learning curve in the terminal, with its control arms."""
    console = console_for(json_file)
    with workplace(home) as place, place.sessions() as session:
        found = campaigns.find_campaign(session, campaign)
        points = progress.learning_curve(session, found)
        errors = population.population_errors(session, found)
    for panel in panels_of(found, points):
        show_panel(console, panel)
    savings = comparing.savings(points.points, points.intervals)
    said = (*saving_sentences(savings), *population_sentences(errors), *points.notes)
    for sentence in said:
        console.print(sentence, highlight=False)
    for path, kind in ((png, PictureKind.PNG), (svg, PictureKind.SVG)):
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(draw_learning_curve(found, points, kind=kind))
            console.print(f"wrote {path}", highlight=False)
    write_json(json_file, _as_json(found.name, points, savings, errors))


def show_panel(console: Console, panel: Panel) -> None:
    """One metric: the plot, then the numbers."""
    drawn = [line for line in panel.lines if line.value]
    name = panel.quantity.replace("$_{MAD}$", "_MAD")
    if not drawn:
        console.print(f"{name}: no published run yet", highlight=False)
        return
    series = [Series(line.name, line.n_labels, line.value) for line in drawn]
    if any(len(line.value) > 1 for line in drawn):
        plain = not console.encoding.startswith("utf")
        console.print(plot(series, x="labels", y=name, plain=plain))
    table = Table("labels", *(line.name for line in drawn), title=name)
    for n_labels in sorted({n for line in drawn for n in line.n_labels}):
        table.add_row(str(n_labels), *(_cell(line, n_labels) for line in drawn))
    console.print(table)


def _cell(line: Line, n_labels: int) -> str:
    """`0.0312 [0.0290, 0.0335]`."""
    if n_labels not in line.n_labels:
        return ""
    place = list(line.n_labels).index(n_labels)
    low, high = line.low[place], line.high[place]
    text = f"{line.value[place]:.4f}"
    return text if low is None or high is None else f"{text} [{low:.4f}, {high:.4f}]"


def _as_json(
    campaign: str,
    curve: progress.Curve,
    savings: Mapping[str, comparing.Saving | None],
    errors: Mapping[str, PopulationError | None],
) -> dict[str, Any]:  # the same names as over HTTP
    return {
        "campaign": campaign,
        "points": [asdict(point) for point in curve.points],
        "n_evaluation": curve.n_evaluation,
        "against_random": {
            target: None if saving is None else asdict(saving)
            for target, saving in savings.items()
        },
        "population": {
            target: None if error is None else asdict(error)
            for target, error in errors.items()
        },
        "coverage": list(curve.coverage),
        "warnings": list(curve.notes),
    }
