"""Learning curves as pictures."""

import io
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, ScalarFormatter

mpl.use("Agg")

COLORS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
"""Okabe & Ito (2008): told apart by color-blind readers, too."""

MARKERS: Final = ("o", "s", "^", "D", "v", "P")

PANEL_WIDTH: Final = 5.4
HEIGHT: Final = 4.3
"""Inches."""

STYLE: Final[dict[Any, Any]] = {  # matplotlib's keys are a long Literal
    "font.size": 10.5,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#555555",
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.7,
    "axes.axisbelow": True,
    "svg.hashsalt": "al-service",  # the same curve is the same file
}

LOG_FROM: Final = 1.6
"""A metric that falls by less than this factor is easier to read on a linear axis."""

_one_at_a_time = threading.Lock()
"""Matplotlib's font cache and settings are not made for threads."""


class PictureKind(StrEnum):
    """File formats."""

    PNG = "png"
    SVG = "svg"


@dataclass(frozen=True)
class Line:
    """One arm: a metric against the number of labels."""

    name: str
    n_labels: Sequence[int]
    value: Sequence[float]
    low: Sequence[float | None]
    """Lower end of the 95 % interval of every point, where it is known."""
    high: Sequence[float | None]


@dataclass(frozen=True)
class Panel:
    """One metric with its arms."""

    quantity: str
    """What stands on the vertical axis, with its unit."""
    lines: Sequence[Line]


def draw_curves(
    panels: Sequence[Panel], *, title: str, note: str = "", kind: PictureKind
) -> bytes:
    """Learning curves side by side, one panel per metric.

    Args:
        panels: at least one; those without points say so.
        title: what was learned from what.
        note: a line under the picture: how it was measured, what was found.
        kind: file format.

    Returns:
        The file's content.
    """
    with _one_at_a_time, mpl.rc_context(STYLE):
        figure = Figure(
            figsize=(PANEL_WIDTH * len(panels), HEIGHT), layout="constrained"
        )
        figure.suptitle(title, fontweight="bold", x=0.01, ha="left")
        if note:
            figure.supxlabel(note, fontsize=9, color="#444444", x=0.01, ha="left")
        for axes, panel in zip(
            figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True
        ):
            _draw_panel(axes, panel)
        out = io.BytesIO()
        dates = {"Date": None} if kind is PictureKind.SVG else None
        figure.savefig(out, format=kind.value, dpi=150, metadata=dates)
    return out.getvalue()


def _draw_panel(axes: Axes, panel: Panel) -> None:
    axes.set_xlabel("labels")
    axes.set_ylabel(panel.quantity)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    drawn = [line for line in panel.lines if len(line.value)]
    if not drawn:
        axes.text(
            0.5, 0.5, "no published run yet", transform=axes.transAxes, ha="center"
        )
        return
    for number, line in enumerate(drawn):
        _draw_line(axes, line, number)
    _choose_scale(axes, drawn)
    axes.legend(frameon=False)


def _draw_line(axes: Axes, line: Line, number: int) -> None:
    color = COLORS[number % len(COLORS)]
    axes.plot(
        line.n_labels,
        line.value,
        color=color,
        marker=MARKERS[number % len(MARKERS)],
        markersize=5,
        linewidth=1.8,
        label=line.name,
        zorder=3,
    )
    known = [
        (n, low, high)
        for n, low, high in zip(line.n_labels, line.low, line.high, strict=True)
        if low is not None and high is not None
    ]
    if known:
        n_labels, low, high = zip(*known, strict=True)
        axes.fill_between(n_labels, low, high, color=color, alpha=0.15, linewidth=0)
        if len(known) == 1:  # a band needs two points
            axes.vlines(n_labels, low, high, color=color, alpha=0.5, linewidth=1.8)


def _choose_scale(axes: Axes, lines: Sequence[Line]) -> None:
    values = [value for line in lines for value in line.value]
    if min(values) <= 0 or max(values) / min(values) < LOG_FROM:
        return
    axes.set_yscale("log")
    for formatter in (axes.yaxis.set_major_formatter, axes.yaxis.set_minor_formatter):
        plain = ScalarFormatter()
        plain.set_scientific(False)
        formatter(plain)
