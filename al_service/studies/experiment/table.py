"""Trials become rows, and rows of several seeds one line of the table."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from al_service.evaluation.report import ratio_metric
from al_service.studies.experiment.system import Family

Json = dict[str, Any]  # Any: JSON

_OF_TRIAL: Final = (
    "system",
    "family",
    "seed",
    "n_train",
    "fit_seconds",
    "predict_seconds",
    "n_parameters",
    "peak_memory_mb",
)


def rows_of(trial: Json) -> list[Json]:
    """One row per target and per set of modalities at test time."""
    facts = {name: trial[name] for name in _OF_TRIAL}
    return [{**facts, **row} for row in trial["rows"]]


@dataclass(frozen=True)
class Line:
    """A system's figures for one target, means over seeds."""

    system: str
    family: Family
    inputs: tuple[str, ...]
    """At test time."""
    hides: bool
    """Whether it was trained to look at more."""
    target: str
    errors: dict[int, float]
    """What comparisons compare, under every seed: see `ratio_metric`."""
    metrics: dict[str, float | None]
    intervals: dict[str, tuple[float, float] | None]
    """95 %, galaxies resampled: means of the seeds' ends."""
    fit_seconds: float
    predict_seconds: float
    n_parameters: float
    peak_memory_mb: float

    @property
    def error(self) -> float:
        """Their mean; NaN where one is not defined."""
        value = self.metrics.get(ratio_metric(self.target))
        return math.nan if value is None else value


def lines_of(trials: Sequence[Json]) -> list[Line]:
    """Every line of the table, in the order of the trials."""
    grouped: dict[tuple[str, str, tuple[str, ...]], list[Json]] = {}
    whole = {trial["system"]: trial["inputs"] for trial in trials}
    for trial in trials:
        for row in rows_of(trial):
            key = (row["system"], row["target"], tuple(row["inputs"]))
            grouped.setdefault(key, []).append(row)
    return [
        _line(key, rows, hides=list(key[2]) != list(whole[key[0]]))
        for key, rows in grouped.items()
    ]


def _line(
    key: tuple[str, str, tuple[str, ...]], rows: list[Json], *, hides: bool
) -> Line:
    system, target, inputs = key
    metrics = {
        name: _mean([row["metrics"].get(name) for row in rows])
        for name in rows[0]["metrics"]
    }
    return Line(
        system,
        Family(rows[0]["family"]),
        inputs,
        hides,
        target,
        {row["seed"]: _error(row) for row in rows},
        metrics,
        {name: _ends(name, rows) for name in rows[0]["intervals"]},
        fit_seconds=_average("fit_seconds", rows),
        predict_seconds=_average("predict_seconds", rows),
        n_parameters=_average("n_parameters", rows),
        peak_memory_mb=_average("peak_memory_mb", rows),
    )


def _error(row: Json) -> float:
    value = row["metrics"].get(ratio_metric(row["target"]))
    return math.nan if value is None else float(value)


def _average(name: str, rows: list[Json]) -> float:
    return float(sum(row[name] for row in rows) / len(rows))


def _ends(name: str, rows: list[Json]) -> tuple[float, float] | None:
    low, high = (
        _mean([row["intervals"].get(name, [None, None])[side] for row in rows])
        for side in (0, 1)
    )
    return None if low is None or high is None else (low, high)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if len(known) == len(values) else None
