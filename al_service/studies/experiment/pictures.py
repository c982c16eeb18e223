"""Pictures of an experiment, one target each: every system in its own panel or line."""

import io
import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from al_service.evaluation.curve_picture import COLORS, MARKERS, STYLE
from al_service.evaluation.distributions import PIT_BINS, pit_histogram
from al_service.evaluation.report import ratio_metric
from al_service.evaluation.selective import selective_curve
from al_service.studies.experiment.table import Line
from al_service.survey.targets import Target

Floats = NDArray[np.float64]

_DPI: Final = 80
"""Small enough that a page of nine targets stays below twenty megabytes."""

_PER_ROW: Final = 5
_PANEL: Final = 2.3
_TITLE: Final = 0.25
"""Inches."""

_LEGEND_ROWS: Final = 24
"""Names that stand beside a picture before there is a second column of them."""

_LEVELS: Final = np.linspace(0.02, 0.98, 49)
"""Central intervals of which the calibration curve asks."""

_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Seen:
    """One system's test objects, one target, labels known."""

    system: str
    truth: Floats
    """`N`, target unit."""
    mean: Floats
    spread: Floats
    """`N` predicted standard deviations, own space."""
    pit: Floats
    """`N` percentiles of the truth."""


def density_picture(target: str, seen: Sequence[Seen]) -> bytes:
    """Predicted against true, one panel per system."""
    every = np.concatenate([one.truth for one in seen])
    low, high = np.percentile(every, [0.5, 99.5])

    def draw(axes: Axes, one: Seen) -> None:
        axes.hexbin(
            one.truth,
            np.clip(one.mean, low, high),
            gridsize=30,
            extent=(low, high, low, high),
            bins="log",
            mincnt=1,
            cmap="viridis",
            linewidths=0,
        )
        axes.plot([low, high], [low, high], color="#D55E00", linewidth=0.8)
        axes.set(xlim=(low, high), ylim=(low, high))

    return _panels(seen, draw, f"{target}: predicted (up) against true")


def pit_picture(target: str, seen: Sequence[Seen]) -> bytes:
    """Histograms of percentiles, one panel per system: flat is right."""

    def draw(axes: Axes, one: Seen) -> None:
        edges = np.linspace(0.0, 1.0, PIT_BINS + 1)
        axes.stairs(pit_histogram(one.pit), edges, fill=True, color=COLORS[0])
        axes.axhline(1.0, color="#D55E00", linewidth=0.8)
        axes.set(xlim=(0, 1), ylim=(0, None))

    return _panels(seen, draw, f"{target}: percentiles of the truth")


def calibration_picture(target: str, seen: Sequence[Seen]) -> bytes:
    """How often central intervals hold the truth, against what they promise.

    Intervals are those that the model states, before any calibration.
    """

    def curve(one: Seen) -> tuple[Floats, Floats]:
        central = np.abs(2.0 * one.pit - 1.0)
        return _LEVELS, (central[:, None] <= _LEVELS).mean(axis=0)

    def furnish(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color="#555555", linewidth=0.8)
        axes.set(xlabel="promised", ylabel="observed", xlim=(0, 1), ylim=(0, 1))

    title = f"{target}: coverage of central intervals, uncalibrated"
    return _curves(seen, curve, furnish, title)


def selective_picture(target: str, seen: Sequence[Seen]) -> bytes:
    """Mean absolute error of the most certain, against how many are kept."""

    def curve(one: Seen) -> tuple[Floats, Floats]:
        found = selective_curve(np.abs(one.mean - one.truth), one.spread)
        every = max(1, len(found.kept) // 200)
        return found.kept[::every], found.risk[::every]

    def furnish(axes: Axes) -> None:
        axes.set(xlabel="kept", ylabel="mean absolute error", xlim=(0, 1))
        if target == Target.Z:
            axes.set_yscale("log")

    return _curves(seen, curve, furnish, f"{target}: error of the most certain")


def cost_picture(target: str, lines: Sequence[Line]) -> bytes:
    """Error against seconds of training, and against seconds of predicting."""
    known = [line for line in lines if math.isfinite(line.error)]
    with _one_at_a_time, mpl.rc_context(STYLE):
        figure = Figure(figsize=(11.5, 4.6), layout="constrained")
        figure.suptitle(f"{target}: error against run time", x=0.01, ha="left")
        for axes, seconds, label in zip(
            figure.subplots(1, 2, sharey=True),
            (
                [line.fit_seconds for line in known],
                [line.predict_seconds for line in known],
            ),
            ("seconds to train", "seconds to predict the test objects"),
            strict=True,
        ):
            for number, (line, spent) in enumerate(zip(known, seconds, strict=True)):
                axes.scatter(
                    max(spent, 1e-3),
                    line.error,
                    color=COLORS[number % len(COLORS)],
                    marker=MARKERS[number // len(COLORS) % len(MARKERS)],
                    label=line.system,
                )
            axes.set(xscale="log", yscale="log", xlabel=label)
        figure.supylabel(ratio_metric(target), fontsize=9)
        figure.legend(
            *axes.get_legend_handles_labels(),
            loc="outside right upper",
            ncols=math.ceil(len(known) / _LEGEND_ROWS) or 1,
            fontsize=7,
            frameon=False,
        )
        return _png(figure)


def layout_picture(
    layout: NDArray[np.float32], colors: dict[str, Floats], title: str
) -> bytes:
    """A plane of objects once per quantity that colors them.

    Args:
        layout: `N x 2`.
        colors: quantity to `N` values, NaN where unknown.
        title: what was laid out.
    """
    with _one_at_a_time, mpl.rc_context({**STYLE, "axes.grid": False}):
        figure = Figure(figsize=(4.2 * len(colors), 3.6), layout="constrained")
        figure.suptitle(title, x=0.01, ha="left")
        for axes, (name, values) in zip(
            figure.subplots(1, len(colors), squeeze=False)[0],
            colors.items(),
            strict=True,
        ):
            low, high = np.nanpercentile(values, [2, 98])
            dots = axes.scatter(
                *layout.T, c=values, s=3, cmap="viridis", vmin=low, vmax=high
            )
            axes.set(title=name, xticks=[], yticks=[])
            figure.colorbar(dots, ax=axes)
        return _png(figure)


def _panels(
    seen: Sequence[Seen], draw: Callable[[Axes, Seen], None], title: str
) -> bytes:
    rows = math.ceil(len(seen) / _PER_ROW)
    columns = max(min(len(seen), _PER_ROW), 2)
    width, height = _PANEL * columns, _PANEL * rows + _TITLE
    with _one_at_a_time, mpl.rc_context({**STYLE, "font.size": 8}):
        figure = Figure(figsize=(width, height))
        figure.suptitle(title, x=0.01, y=1.0 - 0.05 / height, ha="left", va="top")
        places = _margins(width, height)
        panels = list(
            figure.subplots(rows, columns, squeeze=False, gridspec_kw=places).flat
        )
        for axes, one in zip(panels, seen, strict=False):
            draw(axes, one)
            axes.set_title(one.system, fontsize=8)
        for axes in panels[len(seen) :]:
            axes.set_axis_off()
        return _png(figure)


def _margins(width: float, height: float) -> dict[str, float]:
    """Of a figure of panels, by hand: to find them takes seconds with forty panels."""
    return {
        "left": 0.4 / width,
        "right": 1.0 - 0.1 / width,
        "bottom": 0.3 / height,
        "top": 1.0 - (_TITLE + 0.2) / height,
        "wspace": 0.25,
        "hspace": 0.35,
    }


def _curves(
    seen: Sequence[Seen],
    curve: Callable[[Seen], tuple[Floats, Floats]],
    furnish: Callable[[Axes], None],
    title: str,
) -> bytes:
    """Some systems to a panel, in color before all others: forty lines are a tangle."""
    lines = [(one.system, *curve(one)) for one in seen]
    groups = [
        range(first, min(first + len(COLORS), len(seen)))
        for first in range(0, len(seen), len(COLORS))
    ]
    columns = min(len(groups), 3)
    rows = math.ceil(len(groups) / columns)
    with _one_at_a_time, mpl.rc_context({**STYLE, "font.size": 8}):
        figure = Figure(figsize=(3.8 * columns, 3.4 * rows), layout="constrained")
        figure.suptitle(title, x=0.01, ha="left")
        panels = list(
            figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).flat
        )
        for axes, group in zip(panels, groups, strict=False):
            _draw_some(axes, lines, group)
            furnish(axes)
            axes.legend(fontsize=6, frameon=False)
        for axes in panels[len(groups) :]:
            axes.set_axis_off()
        return _png(figure)


def _draw_some(
    axes: Axes, lines: Sequence[tuple[str, Floats, Floats]], shown: range
) -> None:
    for number, (system, x, y) in enumerate(lines):
        if number in shown:
            color = COLORS[number - shown.start]
            axes.plot(x, y, color=color, linewidth=1.2, label=system)
        else:
            axes.plot(x, y, color="#dddddd", linewidth=0.5, zorder=1)
    axes.tick_params(labelbottom=True)


def _png(figure: Figure) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=_DPI)
    return out.getvalue()
