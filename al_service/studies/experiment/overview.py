"""What the table shows, in a few grids before it: gains, certainty, balance."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Final

from al_service.features.preparation import IMAGE, SPECTRUM
from al_service.studies.experiment.cells import number, ratio
from al_service.studies.experiment.comparisons import Comparison
from al_service.studies.experiment.report import Report
from al_service.studies.experiment.system import Family, in_words
from al_service.studies.experiment.table import Line
from al_service.survey.targets import Target

Json = dict[str, Any]  # Any: JSON

_ENSEMBLE: Final = "ensemble"
"""How the names of systems begin with which others of the same modalities compare."""

_WEIGHTS: Final = {
    "coverage68": "68 % hold",
    "coverage68_uncalibrated": "68 % as stated",
    "coverage95": "95 % hold",
    "coverage95_uncalibrated": "95 % as stated",
}
"""Metric to heading, means over targets."""

_CATASTROPHES: Final = {
    "outlier_fraction": "outliers of z",
    "outlier_fraction_kept90": "of 90 % kept",
}

_SHARES: Final = {
    "shapley": "Explained variance owed to image / to spectrum (Shapley values)",
    "utilization": "By which share image / spectrum lowers the error of the other "
    "alone (conditional utilization rate)",
}


@dataclass(frozen=True)
class Grid:
    """A small table as text."""

    title: str
    explanation: str
    header: list[str]
    rows: list[list[str]]


def overview(report: Report) -> list[Grid]:
    """Every grid to which this experiment has something to say."""
    grids = [*_gains(report), _certainty(report), *_balance(report)]
    return [grid for grid in grids if grid.rows]


def _gains(report: Report) -> Iterator[Grid]:
    header = ["system", "sees", *report.targets]
    yield Grid(
        "Several modalities over the best single one",
        "Ratios of errors; parentheses hold the smallest and the largest of the seeds. "
        "The best single system is chosen on the test objects.",
        header,
        list(_ratios([one for one in report.compared if not one.hides], header[2:])),
    )
    yield Grid(
        "Fused systems with something hidden, over the best single one of what is left",
        "Hidden from test objects, which have every modality.",
        header,
        list(_ratios([one for one in report.compared if one.hides], header[2:])),
    )


def _ratios(
    compared: Sequence[Comparison], targets: Sequence[str]
) -> Iterator[list[str]]:
    """A block for each set of modalities: the peers, the bound, the ratios."""
    for inputs in dict.fromkeys(one.inputs for one in compared):
        own = [one for one in compared if one.inputs == inputs]
        rows = {
            "best single": {one.target: one.best_single for one in own},
            "ceiling": {one.target: number(one.bound) for one in own if one.bound},
        }
        for one in own:
            rows.setdefault(one.system, {})[one.target] = ratio(one)
        for name, cells in rows.items():
            if cells:
                yield [name, ", ".join(inputs), *(cells.get(t, "") for t in targets)]


def _certainty(report: Report) -> Grid:
    """Of Bayesian systems; with an ensemble on the same modalities as the measure."""
    whole: dict[str, list[Line]] = {}
    for line in report.lines:
        if line.family is Family.BAYESIAN and not line.hides:
            whole.setdefault(line.system, []).append(line)
    ensembles = {
        lines[0].inputs: lines
        for name, lines in whole.items()
        if name.startswith(_ENSEMBLE)
    }
    return Grid(
        "What is known of the weights",
        "Means over targets; ratios are to an ensemble on the same modalities. What "
        "intervals hold: calibrated, and as the system states them. Outliers of z: "
        "among all, and among the 90 % most certain.",
        [
            *("system", "sees", *_WEIGHTS.values(), "CRPS ÷ ensemble", "worst target"),
            *(*_CATASTROPHES.values(), "predict s", "÷ ensemble"),
        ],
        [
            _certainty_cells(lines, ensembles.get(lines[0].inputs))
            for lines in whole.values()
        ],
    )


def _certainty_cells(lines: list[Line], ensemble: list[Line] | None) -> list[str]:
    first = lines[0]
    crps: list[float] = []
    cost = None
    if ensemble is not None:
        crps = list(_crps_ratios(lines, ensemble))
        cost = first.predict_seconds / ensemble[0].predict_seconds
    of_redshift = [line for line in lines if line.target == Target.Z]
    return [
        first.system,
        in_words(first.inputs, first.family),
        *(_mean(_known(lines, metric)) for metric in _WEIGHTS),
        _mean(crps),
        number(max(crps, default=None)),
        *(_mean(_known(of_redshift, metric)) for metric in _CATASTROPHES),
        number(first.predict_seconds),
        number(cost),
    ]


def _crps_ratios(lines: list[Line], ensemble: list[Line]) -> Iterator[float]:
    """Of every target that both have a score of."""
    others = {line.target: line.metrics.get("crps") for line in ensemble}
    for line in lines:
        own, other = line.metrics.get("crps"), others.get(line.target)
        if own is not None and other:
            yield own / other


def _known(lines: Sequence[Line], metric: str) -> list[float]:
    values = [line.metrics.get(metric) for line in lines]
    return [value for value in values if value is not None]


def _balance(report: Report) -> Iterator[Grid]:
    for measure, title in _SHARES.items():
        found: dict[str, dict[str, list[Json]]] = {}
        for share in report.shares:
            of_system = found.setdefault(share["system"], {})
            of_system.setdefault(share["target"], []).append(share[measure])
        yield Grid(
            title,
            "Means over seeds; photometry, where a system sees it, is never hidden: "
            "its part is not in the sum.",
            ["system", *report.targets],
            [
                [system, *(_pair(cells.get(target, [])) for target in report.targets)]
                for system, cells in found.items()
            ],
        )


def _pair(shares: Sequence[Json]) -> str:
    """Image and spectrum, means over seeds; nothing where one is not defined."""
    means = [
        _mean([share[name] for share in shares if share[name] is not None])
        for name in (IMAGE, SPECTRUM)
    ]
    return " / ".join(means) if all(means) else ""


def _mean(values: Sequence[float]) -> str:
    return number(fmean(values)) if values else ""
