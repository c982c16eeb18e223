"""The table as Markdown: one section per target."""

import math
from collections.abc import Sequence
from typing import Any, Final

from al_service.evaluation.report import ratio_metric
from al_service.studies.experiment.settings import ExperimentSettings
from al_service.studies.experiment.system import Family, in_words
from al_service.studies.experiment.table import Line
from al_service.survey.targets import UNITS, Target

Json = dict[str, Any]  # Any: JSON

COMPARED: Final = (
    "system",
    "sees",
    "error",
    "best single",
    "its error",
    "ratio",
    "ceiling",
)

REST_HIDDEN: Final = "*(rest hidden)*"
"""Behind the modalities that a system sees of those that it was trained on."""

AGAINST: Final = "Against the best system that sees one modality"

_COLUMNS: Final = ("mae", "r2", "bias", "crps", "nll", "coverage68", "coverage95")

_OF_REDSHIFT: Final = (
    "rmse",
    "sigma_mad",
    "outlier_fraction",
    "outlier_fraction_kept90",
)


def columns_of(target: str) -> tuple[str, ...]:
    """Metrics that stand in the table of a target, the compared error first."""
    own = _OF_REDSHIFT if target == Target.Z else ()
    return (ratio_metric(target), *own, *_COLUMNS)


def heading(settings: ExperimentSettings) -> str:
    """What was run."""
    effort = settings.effort.model_dump(mode="json")
    return (
        f"Pool {settings.pool}, seeds {', '.join(map(str, settings.seed_numbers))}, "
        f"at most {settings.n_train} "
        f"objects train, {settings.n_validation} validate, {settings.n_test} examine; "
        f"effort: {', '.join(f'{name} {n}' for name, n in effort.items())}."
    )


def as_markdown(
    settings: ExperimentSettings, lines: Sequence[Line], compared: Sequence[Json]
) -> str:
    """The whole report but its pictures."""
    parts = ["# Experiment", "", heading(settings), ""]
    parts += [
        "Figures are means over seeds; brackets hold 95 % intervals by resampling "
        "galaxies. Systems that were trained on more than they see here are marked "
        "*rest hidden*.",
        "",
    ]
    for target in dict.fromkeys(line.target for line in lines):
        own = [line for line in lines if line.target == target]
        parts += [f"## {title(target)}", "", *_table(target, own), ""]
        parts += _comparisons([one for one in compared if one["target"] == target])
    return "\n".join(parts) + "\n"


def title(target: str) -> str:
    """A target with its unit."""
    unit = UNITS.get(target, "")
    return f"{target} [{unit}]" if unit else target


def _table(target: str, lines: Sequence[Line]) -> list[str]:
    header, rows = table_of(target, lines)
    return [_row(header), _row(["---"] * len(header)), *map(_row, rows)]


def table_of(target: str, lines: Sequence[Line]) -> tuple[list[str], list[list[str]]]:
    """Headings and lines of one target's table as text, the ceiling first.

    Where there is a ceiling, every error stands beside its ratio to the ceiling's.
    """
    names = columns_of(target)
    ceiling = [line for line in lines if line.family is Family.CEILING]
    others = [line for line in lines if line.family is not Family.CEILING]
    header = ["system", "sees", *names, "fit s", "predict s", "parameters", "MB"]
    rows = [_cells(line, names) for line in (*ceiling, *others)]
    if ceiling:
        header.insert(3, "÷ ceiling")
        for row, line in zip(rows, (*ceiling, *others), strict=True):
            row.insert(3, number(line.error / ceiling[0].error))
    return header, rows


def _cells(line: Line, names: Sequence[str]) -> list[str]:
    figures = [number(line.metrics.get(name)) for name in names]
    interval = line.intervals.get(names[0])
    if interval is not None:
        figures[0] += f" ({number(interval[0])} to {number(interval[1])})"
    return [
        line.system,
        _seen(in_words(line.inputs, line.family), hides=line.hides),
        *figures,
        number(line.fit_seconds),
        number(line.predict_seconds),
        f"{line.n_parameters:,.0f}",
        f"{line.peak_memory_mb:,.0f}",
    ]


def _seen(names: str, *, hides: bool) -> str:
    return f"{names} {REST_HIDDEN}" if hides else names


def _comparisons(compared: Sequence[Json]) -> list[str]:
    if not compared:
        return []
    rows = [COMPARED, ["---"] * len(COMPARED), *map(comparison_cells, compared)]
    return [f"{AGAINST}:", "", *map(_row, rows), ""]


def comparison_cells(one: Json) -> list[str]:
    """One line of the comparisons as text, under the headings `COMPARED`."""
    return [
        one["system"],
        _seen(", ".join(one["inputs"]), hides=one["hides"]),
        number(one["error"]),
        one["best_single"],
        number(one["best_single_error"]),
        number(one["ratio"]),
        number(one["ceiling"]),
    ]


def number(value: float | None) -> str:
    """Three digits, all of a large one; nothing where it is not defined."""
    if value is None or not math.isfinite(value):
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000.0 else f"{value:.3g}"


def _row(parts: Sequence[str]) -> str:
    return f"| {' | '.join(parts)} |"
