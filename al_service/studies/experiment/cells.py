"""The table and its comparisons as text, alike in Markdown and HTML."""

import math
from collections.abc import Sequence
from typing import Final

from al_service.evaluation.report import ratio_metric
from al_service.studies.experiment.comparisons import Comparison, over
from al_service.studies.experiment.settings import ExperimentSettings
from al_service.studies.experiment.system import Family, in_words
from al_service.studies.experiment.table import Line
from al_service.survey.targets import UNITS, Target

_REST_HIDDEN: Final = "(rest hidden)"
"""Behind the modalities that a system sees of those that it was trained on."""

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


def title(target: str) -> str:
    """A target with its unit."""
    unit = UNITS.get(target, "")
    return f"{target} [{unit}]" if unit else target


def table_of(target: str, lines: Sequence[Line]) -> tuple[list[str], list[list[str]]]:
    """Headings and lines of one target's table, the ceiling first.

    Where there is a ceiling, every error stands beside its ratio to the ceiling's.
    """
    names = columns_of(target)
    ceiling = [line for line in lines if line.family is Family.CEILING]
    others = [line for line in lines if line.family is not Family.CEILING]
    header = ["system", "sees", *names, "fit s", "predict s", "parameters", "MB"]
    rows = [_line_cells(line, names) for line in (*ceiling, *others)]
    if ceiling:
        header.insert(3, "÷ ceiling")
        for row, line in zip(rows, (*ceiling, *others), strict=True):
            row.insert(3, number(over(line.error, ceiling[0].error)))
    return header, rows


def _line_cells(line: Line, names: Sequence[str]) -> list[str]:
    figures = [number(line.metrics.get(name)) for name in names]
    figures[0] += within(line.intervals.get(names[0]))
    return [
        line.system,
        sees(line),
        *figures,
        number(line.fit_seconds),
        number(line.predict_seconds),
        f"{line.n_parameters:,.0f}",
        f"{line.peak_memory_mb:,.0f}",
    ]


def sees(line: Line) -> str:
    """What a system looks at here."""
    names = in_words(line.inputs, line.family)
    return f"{names} {_REST_HIDDEN}" if line.hides else names


def ratio(one: Comparison) -> str:
    """With the smallest and the largest of the seeds, where there are several."""
    low, high = one.ratio_range or (0.0, 0.0)
    return number(one.ratio) + (within(one.ratio_range) if low < high else "")


def number(value: float | None) -> str:
    """Three digits, all of a large one; nothing where it is not defined."""
    if value is None or not math.isfinite(value):
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000.0 else f"{value:.3g}"


def within(ends: tuple[float, float] | None) -> str:
    """Ends of a range, to stand behind its middle; nothing without any."""
    return "" if ends is None else f" ({number(ends[0])} to {number(ends[1])})"
