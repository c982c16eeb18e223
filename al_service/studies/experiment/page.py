"""The report as one HTML page that needs no other file and no network."""

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any, Final

import numpy as np

from al_service.evaluation.embedding import LEAST, Embedding, embed
from al_service.studies.experiment.markdown import (
    AGAINST,
    COMPARED,
    REST_HIDDEN,
    comparison_cells,
    heading,
    table_of,
    title,
)
from al_service.studies.experiment.pictures import (
    Seen,
    calibration_picture,
    cost_picture,
    density_picture,
    layout_picture,
    pit_picture,
    selective_picture,
)
from al_service.studies.experiment.settings import ExperimentSettings
from al_service.studies.experiment.stored_predictions import StoredPredictions
from al_service.studies.experiment.table import Line
from al_service.survey.targets import Target

Json = dict[str, Any]  # Any: JSON

MOST_LAID_OUT: Final = 2000
"""Objects in a picture of features: t-SNE takes ten seconds for them."""

_LAYOUT_SEED: Final = 0

_PAGE: Final = Template(
    """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Experiment on $pool</title><style>
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 1200px;
  padding: 0 1rem; color: #222 }
table { border-collapse: collapse; font-size: 12px; margin: 1rem 0; display: block;
  overflow-x: auto }
th, td { padding: .15rem .5rem; text-align: right; border-bottom: 1px solid #ddd;
  white-space: nowrap }
th:first-child, td:first-child, th:nth-child(2), td:nth-child(2) { text-align: left }
img { max-width: 100%; display: block; margin: .6rem 0 }
</style></head><body><h1>Experiment on $pool</h1><p>$heading</p>
<p>Figures are means over seeds; brackets hold 95&nbsp;% intervals by resampling
galaxies. Pictures show the first seed. <i>rest hidden</i>: trained on more than it
sees here.</p>
$body
</body></html>
"""
)


def as_page(
    settings: ExperimentSettings,
    lines: Sequence[Line],
    compared: Sequence[Json],
    trials: Sequence[tuple[Json, Path]],
) -> str:
    """The whole report.

    Args:
        settings: of the experiment.
        lines: of the table.
        compared: what `table.comparisons` gave.
        trials: facts and folder of the first seed's trials.
    """
    targets = list(dict.fromkeys(line.target for line in lines))
    body = [_section(target, lines, compared, trials) for target in targets]
    return _PAGE.substitute(
        pool=escape(settings.pool),
        heading=escape(heading(settings)),
        body="\n".join([*body, *_layouts(trials)]),
    )


def _section(
    target: str,
    lines: Sequence[Line],
    compared: Sequence[Json],
    trials: Sequence[tuple[Json, Path]],
) -> str:
    own = [line for line in lines if line.target == target]
    whole = [line for line in own if not line.hides]
    seen = [
        one
        for facts, folder in trials
        for one in [examined(facts["system"], folder, target)]
        if one is not None
    ]
    pictures = [cost_picture(target, whole)]
    if seen:
        pictures += [
            density_picture(target, seen),
            pit_picture(target, seen),
            calibration_picture(target, seen),
            selective_picture(target, seen),
        ]
    parts = [f"<h2>{escape(title(target))}</h2>", _table(target, own)]
    parts += _ratios([one for one in compared if one["target"] == target])
    return "\n".join([*parts, *(_image(picture) for picture in pictures)])


def examined(system: str, folder: Path, target: str) -> Seen | None:
    """The stored predictions of a target; None where no label is known."""
    stored = StoredPredictions.read(folder)
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


def _layouts(trials: Sequence[tuple[Json, Path]]) -> list[str]:
    """UMAP and t-SNE of the features of the last system that learned some.

    The order of the systems puts fused ones behind those of one modality.
    """
    for facts, folder in reversed(trials):
        stored = StoredPredictions.read(folder)
        if stored.features is not None and len(stored.features) >= LEAST:
            return _layout_of(facts["system"], stored)
    return []


def _layout_of(system: str, stored: StoredPredictions) -> list[str]:
    predictions, targets = stored.predictions, stored.predictions.targets
    shown = [str(one) for one in (Target.Z, Target.SFR_MEDIAN) if one in targets]
    colors = {}
    for name in shown or targets[:1]:
        column = targets.index(name)
        colors[title(name)] = stored.values[:MOST_LAID_OUT, column]
        epistemic = predictions.epistemic[:MOST_LAID_OUT, column]
        colors[f"{name}: epistemic"] = epistemic
    features = np.asarray(stored.features)[:MOST_LAID_OUT]
    parts = [f"<h2>Features of {escape(system)}</h2>"]
    for method in Embedding:
        layout = embed(features, method, seed=_LAYOUT_SEED)
        parts.append(_image(layout_picture(layout, colors, f"{method}: {system}")))
    return parts


def _table(target: str, lines: Sequence[Line]) -> str:
    return _rows(*table_of(target, lines))


def _ratios(compared: Sequence[Json]) -> list[str]:
    if not compared:
        return []
    rows = [comparison_cells(one) for one in compared]
    return [f"<p>{AGAINST}:</p>", _rows(COMPARED, rows)]


def _rows(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def row(tag: str, parts: Sequence[str]) -> str:
        return f"<tr>{''.join(f'<{tag}>{escape(part)}</{tag}>' for part in parts)}</tr>"

    body = "".join(row("td", parts) for parts in rows).replace(
        REST_HIDDEN, "<i>(rest hidden)</i>"
    )
    return f"<table>{row('th', header)}{body}</table>"


def _image(png: bytes) -> str:
    text = base64.b64encode(png).decode()
    return f'<img alt="" src="data:image/png;base64,{text}">'
