"""A replay to read: Markdown for a note, one HTML file with pictures for a browser."""

import html
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from al_service.evaluation.curve_picture import Line, Panel, PictureKind, draw_curves
from al_service.studies.campaign import Curve
from al_service.studies.comparing import metrics_of, values_of

Json = dict[str, Any]  # Any: JSON of any depth

_HEADINGS: Final = {
    "error_ratio": "error ratio",
    "area_ratio": "area ratio",
    "label_ratio": "label ratio",
    "worst_round": "worst round",
    "win_rate": "win rate",
}

_ALL_TARGETS: Final = {
    "mean_error_ratio": "mean of all",
    "largest_error_ratio": "largest of all",
}

_ALL_HEADING: Final = "all targets: error ratio of the RMSE, test set drawn"

_SPOILED: Final = {"wrong_labels": "wrong labels", "junk": "junk"}

_SPOILED_HEADING: Final = "spoiled objects among all that were asked for, mean of seeds"

_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;"
    "padding:0 1rem;color:#222}table{border-collapse:collapse;margin:1rem 0;"
    "font-size:14px}td,th{padding:.2rem .6rem;border-bottom:1px solid #ddd;"
    "text-align:left;white-space:nowrap}"
    "svg{max-width:100%;height:auto}"
    "pre{background:#f6f6f6;padding:1rem;overflow:auto}"
)

_EXPLANATION: Final = (
    "Ratios are to random on the same skies, with 95 % intervals by bootstrap over"
    " seeds; below 1 is better, and > 1 stands for an error that was not reached. The"
    " error ratio is the geometric mean over the rounds after the initial one, the area"
    " ratio weighs every doubling of the labels alike, the label ratio is the labels"
    " needed for random's final error over random's, the worst round is the largest"
    " ratio of the seed means, the win rate the share of rounds below random."
)


def as_markdown(report: Json) -> str:
    """The tables of a replay.

    Args:
        report: of `replay_report`.
    """
    lines = [f"# {_title(report)}", "", _EXPLANATION, ""]
    for section in _sections(report):
        lines += [f"## {section.heading}", "", _row(section.header)]
        lines += [_row(["---"] * len(section.header))]
        lines += [*(_row(row) for row in section.rows), ""]
    return "\n".join(lines)


def as_html(report: Json, curves: Sequence[Curve]) -> str:
    """The learning curves, the tables and the settings in one file.

    Args:
        report: of `replay_report`.
        curves: that it was made of.
    """
    parts = [f"<h1>{html.escape(_title(report))}</h1>", f"<p>{_EXPLANATION}</p>"]
    for section in _sections(report):
        parts.append(f"<h2>{html.escape(section.heading)}</h2>")
        if section.place is not None:
            parts.append(_picture(curves, *section.place))
        parts.append(_html_table(section.header, section.rows))
    settings = html.escape(json.dumps(report["settings"], indent=2))
    parts.append(f"<h2>settings</h2><pre>{settings}</pre>")
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        f"<title>{html.escape(_title(report))}</title><style>{_STYLE}</style></head>"
        f"<body>{''.join(parts)}</body></html>"
    )


def shares_spoiled(report: Json) -> list[str]:
    """What was spoiled, in words; nothing where nothing was.

    Args:
        report: of `replay_report`.
    """
    return [
        f"{100 * report['settings'][name]:g} % {said}"
        for name, said in _SPOILED.items()
        if report["settings"][name] > 0
    ]


def _title(report: Json) -> str:
    settings = report["settings"]
    what = (
        f"Replay on {settings['pool']}: {settings['seeds']} seeds, "
        f"{settings['initial']} + {settings['rounds']} x {settings['batch']} labels"
    )
    return ", ".join([what, *shares_spoiled(report)])


@dataclass(frozen=True)
class _Section:
    """A heading, a picture maybe, a table."""

    heading: str
    header: list[str]
    rows: list[list[str]]
    place: tuple[str, str] | None = None
    """Test set and target of the picture."""


def _sections(report: Json) -> Iterator[_Section]:
    """What was spoiled; all targets at a glance; each target on each test set."""
    arms = report["strategies"]
    if shares_spoiled(report):
        counts = [
            [name, *(f"{arm['spoiled_labels'][one]:.1f}" for one in _SPOILED)]
            for name, arm in arms.items()
        ]
        yield _Section(_SPOILED_HEADING, ["strategy", *_SPOILED.values()], counts)
    first = next(iter(arms.values()))
    if len(first["rmse_ratio"]) > 1:
        yield _glance(arms, list(first["rmse_ratio"]))
    for test, targets in first["tests"].items():
        for target, metrics in targets.items():
            rows = [
                [metric, name, *(_shown(compared[one]) for one in _HEADINGS)]
                for metric in metrics
                for name, arm in arms.items()
                for compared in [arm["tests"][test][target][metric]]
            ]
            header = ["metric", "strategy", *_HEADINGS.values()]
            heading = f"{target}, test set {test}"
            yield _Section(heading, header, rows, (test, target))


def _glance(arms: Json, targets: Sequence[str]) -> _Section:
    """A row for every target, a column for every arm; their mean and largest."""
    rows = [
        [target, *(_shown(arm["rmse_ratio"][target]) for arm in arms.values())]
        for target in targets
    ]
    rows += [
        [said, *(_shown(arm["all_targets"][name]) for arm in arms.values())]
        for name, said in _ALL_TARGETS.items()
    ]
    return _Section(_ALL_HEADING, ["target", *arms], rows)


def _shown(ratio: Json) -> str:
    if ratio["median"] is None and ratio["ci95"] == [None, None]:
        return "> 1 or none"
    low, high = (_number(end) for end in ratio["ci95"])
    return f"{_number(ratio['median'])} ({low} to {high})"


def _number(value: float | None) -> str:
    return "> 1" if value is None else f"{value:.3f}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _html_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def line(cells: Sequence[str], tag: str) -> str:
        inner = "".join(f"<{tag}>{html.escape(one)}</{tag}>" for one in cells)
        return f"<tr>{inner}</tr>"

    body = "".join(line(row, "td") for row in rows)
    return f"<table>{line(header, 'th')}{body}</table>"


def _picture(curves: Sequence[Curve], test: str, target: str) -> str:
    panels = [
        Panel(f"{target}: {metric}", list(_lines(curves, test, target, metric)))
        for metric in metrics_of(target)[:2]
    ]
    title = f"{target}, test set {test}"
    note = "means over seeds; bands: two standard errors"
    drawn = draw_curves(panels, title=title, note=note, kind=PictureKind.SVG)
    return drawn.decode().partition("?>")[2].partition('.dtd">')[2]


def _lines(
    curves: Sequence[Curve], test: str, target: str, metric: str
) -> Iterator[Line]:
    for arm in dict.fromkeys(curve.arm for curve in curves):
        own = [curve for curve in curves if curve.arm == arm]
        values = values_of(own, test, target, metric)
        mean = values.mean(axis=0)
        spread = values.std(axis=0, ddof=1) if len(own) > 1 else np.zeros(len(mean))
        band = 2.0 * spread / np.sqrt(len(own))
        yield Line(
            arm,
            [point.n_labels for point in own[0].points],
            mean.tolist(),
            (mean - band).tolist(),
            (mean + band).tolist(),
        )
