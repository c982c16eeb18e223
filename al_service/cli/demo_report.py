"""What the demo has shown: numbers, curves, a picture, and words."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from al_service.cli.demo_campaigns import Duel, Round, Trained
from al_service.cli.terminal_plot import Series, plot
from al_service.evaluation.curve_picture import (
    Line,
    Panel,
    PictureKind,
    draw_curves,
)
from al_service.rounds.comparing import Saving, saving_between
from al_service.rounds.curve_drawing import QUANTITIES, quantity

Json = dict[str, Any]  # what `summary.json` holds: any shape

TARGET: Final = "z"
LEADING: Final = "rmse_norm"

PICTURE: Final = "learning-curve.png"
SUMMARY: Final = "summary.json"


def show_round(console: Console, duel: Duel, one: Round) -> None:
    """One line a round."""
    seconds = _seconds(one)
    console.print(
        f"round {one.number}: {one.n_labels:4d} labels   RMSE"
        f"  {duel.strategy} {_value(one.active, LEADING):.4f}"
        f"  random {_value(one.random, LEADING):.4f}"
        f"   trained in {seconds['train']:.1f} s",
        highlight=False,
    )


def write_report(
    home: Path, duel: Duel, played: Sequence[Round], *, wall_seconds: float
) -> Json:
    """Write `summary.json` and `learning-curve.png` into the home."""
    saving, learned = saving_of(played), played[-1].active.full.metrics or {}
    summary: Json = {
        "campaign": duel.active,
        "modalities": learned.get("modalities"),
        "n_parameters": learned.get("n_parameters"),
        "rounds": [
            {
                "round": one.number,
                "n_labels": one.n_labels,
                "metrics": one.active.metrics,
                "random": one.random.metrics,
                "seconds": _seconds(one),
            }
            for one in played
        ],
        "label_ratio_vs_random": None if saving is None else saving.label_ratio,
        "wall_seconds": wall_seconds,
    }
    text = json.dumps(summary, indent=2, allow_nan=False) + "\n"
    (home / SUMMARY).write_text(text, encoding="utf-8")
    (home / PICTURE).write_bytes(draw(duel, played))
    return summary


def saving_of(played: Sequence[Round]) -> Saving | None:
    """The strategy against its control on the leading error."""
    return saving_between(
        LEADING,
        [one.n_labels for one in played],
        [_value(one.active, LEADING) for one in played],
        [_value(one.random, LEADING) for one in played],
    )


def draw(duel: Duel, played: Sequence[Round]) -> bytes:
    """The picture of both learning curves."""
    n_evaluation = max(
        (point.n_evaluation for one in played for point in one.active.points), default=0
    )
    arms = {
        f"{duel.strategy} (active)": [one.active for one in played],
        "random (control)": [one.random for one in played],
    }
    return draw_curves(
        [
            Panel(
                quantity(target, metric),
                [
                    _line(name, arm, played, target, metric)
                    for name, arm in arms.items()
                ],
            )
            for target, metric in duel.plan.sky.panels
        ],
        title=duel.plan.sky.title,
        note=f"{words(duel, played)[0]} One pair of campaigns.\nbands: 95 % bootstrap"
        f" intervals over {n_evaluation:,} galaxies that no campaign may ask for",
        kind=PictureKind.PNG,
    )


def show_summary(
    console: Console, duel: Duel, played: Sequence[Round], summary: Json, home: Path
) -> None:
    """Both learning curves, and what was learned."""
    plain = not console.encoding.startswith("utf")
    n_labels = [one.n_labels for one in played]
    console.print()
    console.print(
        plot(
            [
                Series(
                    duel.strategy,
                    n_labels,
                    [_value(one.active, LEADING) for one in played],
                ),
                Series(
                    "random", n_labels, [_value(one.random, LEADING) for one in played]
                ),
            ],
            x="labels",
            y=QUANTITIES[LEADING],
            plain=plain,
        )
    )
    console.print()
    console.print(_table(duel, played))
    for sentence in words(duel, played):
        console.print(sentence, highlight=False, soft_wrap=True)
    console.print(
        f"\nwrote {home / PICTURE} and {home / SUMMARY};"
        f" {summary['wall_seconds']:.0f} s in all",
        highlight=False,
        soft_wrap=True,
    )


def words(duel: Duel, played: Sequence[Round]) -> list[str]:
    """What was learned, for people; the first sentence says the most."""
    last, saving = played[-1], saving_of(played)
    active, random = _value(last.active, LEADING), _value(last.random, LEADING)
    if saving is None or saving.label_ratio is None or saving.labels_saved is None:
        first = (
            f"{duel.strategy} did not reach random's final error:"
            f" {active:.4f} against {random:.4f} after {last.n_labels} labels."
        )
    else:
        needed = last.n_labels - saving.labels_saved
        first = (
            f"{duel.strategy} needed {needed:.0f} labels for the error that random had"
            f" after {last.n_labels}: {1 - saving.label_ratio:.0%} fewer."
        )
    sentences = [first]
    if saving is not None:
        sentences.append(
            f"Over the rounds its error was {saving.error_ratio:.3f} times random's"
            " (geometric mean)."
        )
    sentences.append(
        "This is one pair of campaigns: `al replay` repeats it over seeds and gives"
        " intervals."
    )
    return sentences


def _table(duel: Duel, played: Sequence[Round]) -> Table:
    table = Table(title="on galaxies that no campaign may ask for, with 95 % intervals")
    table.add_column("labels", justify="right")
    for name in (duel.strategy, "random"):
        table.add_column(f"RMSE\n{name}", no_wrap=True)
    for name in (duel.strategy, "random"):
        table.add_column(f"\N{GREEK SMALL LETTER SIGMA}_MAD\n{name}", no_wrap=True)
    for one in played:
        arms = (one.active, one.random)
        table.add_row(
            str(one.n_labels),
            *(_cell(arm, LEADING) for arm in arms),
            *(f"{_value(arm, 'sigma_mad'):.4f}" for arm in arms),
        )
    return table


def _line(
    name: str, arm: Sequence[Trained], played: Sequence[Round], target: str, metric: str
) -> Line:
    ends = [_interval(one, metric, target) for one in arm]
    return Line(
        name=name,
        n_labels=[one.n_labels for one in played],
        value=[_value(one, metric, target) for one in arm],
        low=[low for low, _ in ends],
        high=[high for _, high in ends],
    )


def _cell(arm: Trained, metric: str) -> str:
    low, high = _interval(arm, metric)
    text = f"{_value(arm, metric):.4f}"
    return text if low is None or high is None else f"{text} {low:.4f}…{high:.4f}"


def _value(arm: Trained, metric: str, target: str = TARGET) -> float:
    value = arm.metrics[target][metric]
    return float("nan") if value is None else value


def _interval(
    arm: Trained, metric: str, target: str = TARGET
) -> tuple[float | None, float | None]:
    for point in arm.points:
        if (point.target, point.metric) == (target, metric):
            return point.low, point.high
    return None, None


def _seconds(one: Round) -> dict[str, float]:
    """How long everything took in the campaign of the strategy."""
    run = one.active.full
    measured: Mapping[str, float] = (run.metrics or {}).get("seconds", {})
    elapsed = 0.0
    if run.started_at is not None and run.finished_at is not None:
        elapsed = (run.finished_at - run.started_at).total_seconds()
    score = measured.get("score", 0.0)
    return {
        "ask": one.ask_seconds,
        "tell": one.tell_seconds,
        "train": measured.get("train", elapsed - score),
        "score": score,
    }
