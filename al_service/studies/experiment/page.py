"""The report as one HTML page that needs no other file and no network."""

import base64
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from html import escape
from string import Template
from typing import Any, Final

import numpy as np

from al_service.evaluation.embedding import LEAST, Embedding, embed
from al_service.studies.experiment.cells import heading, table_of, title
from al_service.studies.experiment.overview import Grid, overview
from al_service.studies.experiment.pictures import (
    Seen,
    calibration_picture,
    cost_picture,
    density_picture,
    layout_picture,
    pit_picture,
    selective_picture,
)
from al_service.studies.experiment.registry import system_named
from al_service.studies.experiment.report import Report
from al_service.studies.experiment.stored_predictions import StoredPredictions
from al_service.survey.targets import Target

Json = dict[str, Any]  # Any: JSON

MOST_LAID_OUT: Final = 2000
"""Objects in a picture of features: t-SNE takes ten seconds for them."""

_LAYOUT_SEED: Final = 0

_LAYOUTS: Final = "features"

_PICTURES: Final = {
    "predicted against true": density_picture,
    "percentiles of the truth": pit_picture,
    "what intervals cover": calibration_picture,
    "error of the most certain": selective_picture,
}
"""Of what every system predicts for one target, and what they show."""

_PAGE: Final = Template(
    """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Experiment on $pool</title><style>
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 1500px;
  padding: 0 1rem; color: #222 }
table { border-collapse: collapse; font-size: 12px; margin: 1rem 0; display: block;
  overflow-x: auto }
th, td { padding: .15rem .5rem; text-align: right; border-bottom: 1px solid #ddd;
  white-space: nowrap }
th:first-child, td:first-child, th:nth-child(2), td:nth-child(2) { text-align: left }
td span, th span { white-space: normal }
th:first-child, td:first-child { position: sticky; left: 0; background: #fff }
img { max-width: 100%; display: block; margin: .6rem 0 }
</style></head><body><h1>Experiment on $pool</h1><p>$heading</p>
<p>Figures are means over seeds; parentheses hold the seeds' mean 95&nbsp;% interval by
resampling test galaxies. Pictures show the first seed. (rest hidden): trained on
more than it sees here.</p>
<p>$contents</p>
$body
</body></html>
"""
)


def as_page(
    report: Report,
    stored: Mapping[str, StoredPredictions],
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> str:
    """The whole report.

    Args:
        report: what was found.
        stored: what each system said of the first seed's test objects.
        progress: told how many of its parts are drawn, and of how many.
    """
    draw = [
        *(partial(_section, report, target, stored) for target in report.targets),
        partial(_layouts, stored),
    ]
    parts = [_grid(grid) for grid in overview(report)]
    for number, part in enumerate(draw):
        progress(number, len(draw))
        parts.append(part())
    progress(len(draw), len(draw))
    return _PAGE.substitute(
        pool=escape(report.settings.pool),
        heading=escape(heading(report.settings)),
        contents=_contents(report.targets, has_layouts=bool(parts[-1])),
        body="\n".join(parts),
    )


def _contents(targets: Sequence[str], *, has_layouts: bool) -> str:
    places = [*targets, *([_LAYOUTS] if has_layouts else [])]
    return " · ".join(f'<a href="#{escape(one)}">{escape(one)}</a>' for one in places)


def _grid(grid: Grid) -> str:
    heads = f"<h2>{escape(grid.title)}</h2><p>{escape(grid.explanation)}</p>"
    return heads + _rows(grid.header, grid.rows)


def _section(
    report: Report, target: str, stored: Mapping[str, StoredPredictions]
) -> str:
    lines = [line for line in report.lines if line.target == target]
    heads = f'<h2 id="{escape(target)}">{escape(title(target))}</h2>'
    parts = [heads, _rows(*table_of(target, lines))]
    whole = [line for line in lines if not line.hides]
    parts.append(_image(cost_picture(target, whole), f"{target}: error against time"))
    seen = [
        one
        for system, said in stored.items()
        for one in [examined(system, said, target)]
        if one is not None
    ]
    if seen:
        parts += [
            _image(draw(target, seen), f"{target}: {what}")
            for what, draw in _PICTURES.items()
        ]
    return "\n".join(parts)


def examined(system: str, stored: StoredPredictions, target: str) -> Seen | None:
    """What a system said of one target; None where no label is known."""
    predictions, values = stored.predictions, stored.values
    if target not in predictions.targets:
        return None
    column = predictions.targets.index(target)
    known = np.isfinite(values[:, column])
    if not known.any():
        return None
    return Seen(
        system,
        values[known, column],
        predictions.mean[known, column],
        predictions.total_spread[known, column],
        predictions.pit(values)[known, column],
    )


def _layouts(stored: Mapping[str, StoredPredictions]) -> str:
    """UMAP and t-SNE of what one system has learned to see.

    Of the system that fuses most, among those that know what they do not know; of one
    that states no epistemic uncertainty where no other has learned features.
    """
    best: tuple[tuple[bool, int], str, StoredPredictions] | None = None
    for system, said in stored.items():
        if said.features is None or len(said.features) < LEAST:
            continue
        knows = bool(np.any(said.predictions.epistemic > 0))
        merit = knows, len(system_named(system).inputs)
        if best is None or merit > best[0]:
            best = merit, system, said
    return "" if best is None else _layout_of(*best[1:])


def _layout_of(system: str, stored: StoredPredictions) -> str:
    predictions, targets = stored.predictions, stored.predictions.targets
    shown = [str(one) for one in (Target.Z, Target.SFR_MEDIAN) if one in targets]
    colors = {}
    for name in shown or targets[:1]:
        column = targets.index(name)
        colors[title(name)] = stored.values[:MOST_LAID_OUT, column]
        epistemic = predictions.epistemic[:MOST_LAID_OUT, column]
        colors[f"{name}: epistemic"] = epistemic
    features = np.asarray(stored.features)[:MOST_LAID_OUT]
    parts = [f'<h2 id="{_LAYOUTS}">Features of {escape(system)}</h2>']
    for method in Embedding:
        layout = embed(features, method, seed=_LAYOUT_SEED)
        what = f"{method}: {system}"
        parts.append(_image(layout_picture(layout, colors, what), what))
    return "\n".join(parts)


def _rows(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def row(tag: str, parts: Sequence[str]) -> str:
        first, *others = map(escape, parts)
        cells = [first, *map(_breaking, others)]
        return f"<tr>{''.join(f'<{tag}>{one}</{tag}>' for one in cells)}</tr>"

    body = "".join(row("td", parts) for parts in rows)
    return f"<table>{row('th', header)}{body}</table>"


def _breaking(text: str) -> str:
    """Names may break behind their underscores: eleven columns fit a screen."""
    return f"<span>{text.replace('_', '_<wbr>')}</span>" if "_" in text else text


def _image(png: bytes, what: str) -> str:
    text = base64.b64encode(png).decode()
    return f'<img alt="{escape(what)}" src="data:image/png;base64,{text}">'
