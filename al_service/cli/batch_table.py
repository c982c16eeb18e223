"""A batch as a table, as wide as the terminal and no wider."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from al_service.rounds.leasing import Batch, BatchItem
from al_service.survey.targets import DEFAULT_TARGETS, UNITS

DIGITS: Final = 2
"""Significant digits of a deviation; more are noise."""

Columns = Mapping[str, Sequence[str]]
"""Heading to cells."""


def show_batch(console: Console, batch: Batch) -> None:
    """Print the objects of a batch, with the predictions for which there is room."""
    facts = _facts(batch.items)
    predictions = _predictions(batch.items)
    shown = _that_fit(predictions, console.width - sum(map(_width, facts.items())))
    columns = {**facts, **{target: predictions[target] for target in shown}}
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for name in columns:
        table.add_column(name, no_wrap=name == "object", overflow="fold")
    for row in zip(*columns.values(), strict=True):
        table.add_row(*row)
    console.print(table)
    if shown:
        console.print(_legend(shown), style="dim", highlight=False)
    if more := [target for target in predictions if target not in shown]:
        console.print(
            f"predicted as well, see --json or a wider window: {', '.join(more)}",
            style="dim",
            highlight=False,
        )
    console.print(
        f"batch {batch.id}, reserved for {batch.labeler} until"
        f" {batch.expires_at:%Y-%m-%d %H:%M} UTC",
        highlight=False,
    )
    if batch.exhausted:
        console.print("[yellow]the campaign has nothing more to hand out[/]")


def _facts(items: Sequence[BatchItem]) -> Columns:
    return {
        "object": [item.object_id for item in items],
        "ra / deg": [f"{item.ra:9.5f}" for item in items],
        "dec / deg": [f"{item.dec:+9.5f}" for item in items],
        "reason": [item.reason for item in items],
        "score": ["" if item.score is None else f"{item.score:.3g}" for item in items],
    }


def _predictions(items: Sequence[BatchItem]) -> Columns:
    """In the order of the survey's list, redshift first."""
    there = {target for item in items for target in item.prediction or {}}
    return {
        target: [prediction_text((item.prediction or {}).get(target)) for item in items]
        for target in DEFAULT_TARGETS
        if target in there
    }


def _that_fit(predictions: Columns, room: int) -> list[str]:
    """The first targets whose columns the room holds; at least one."""
    fitting: list[str] = []
    for target, cells in predictions.items():
        room -= _width((target, cells))
        if room < 0 and fitting:
            break
        fitting.append(target)
    return fitting


def _width(column: tuple[str, Sequence[str]]) -> int:
    """Characters of a column, the blank behind it included."""
    heading, cells = column
    return max(map(len, (heading, *cells))) + 1


def prediction_text(prediction: dict[str, Any] | None) -> str:  # JSON of one target
    """`0.123±0.015`, `-0.04±0.15`: as many digits as the deviation has a use for."""
    if prediction is None:
        return ""
    deviation = math.hypot(prediction["epistemic"], prediction["aleatoric"])
    if deviation == 0.0:
        return f"{prediction['mean']:.4g}"
    digits = max(DIGITS - 1 - math.floor(math.log10(deviation)), 0)
    return f"{prediction['mean']:.{digits}f}±{deviation:.{digits}f}"


def _legend(targets: Sequence[str]) -> str:
    """What the columns of predictions mean."""
    units = [f"{target} in {UNITS[target]}" for target in targets if UNITS.get(target)]
    return (
        "score: what a label would teach, the model's own variance over the noise,"
        " summed over targets; ±: one standard deviation, the model's ignorance and"
        f" the noise together{'; ' if units else ''}{', '.join(units)}"
    )
