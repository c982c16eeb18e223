"""What `al replay` prints when it is done."""

import math
from collections.abc import Iterator
from typing import Any

from rich.table import Table

from al_service.evaluation.report import ratio_metric
from al_service.studies.campaign import Curve
from al_service.studies.replay_pages import shares_spoiled
from al_service.studies.replay_report import errors_of

Json = dict[str, Any]  # Any: JSON of any depth


def replay_tables(report: Json, curves: list[Curve]) -> Iterator[Table]:
    """Per target: each strategy's last point and its ratios to random.

    Args:
        report: of `replay_report`.
        curves: that it was made of.
    """
    shares = shares_spoiled(report)
    title = ", ".join(["ratios to random, 95 % over seeds", *shares])
    for target in curves[0].points[0].metrics:
        metric = ratio_metric(target)
        shown = [metric, "sigma_mad"] if metric == "rmse_norm" else [metric, "mae"]
        table = Table(title=f"{target}: {title}")
        headings = ["strategy", "error ratio", "label ratio", *shown, "select s"]
        for heading in [*headings, "wrong", "junk"] if shares else headings:
            table.add_column(
                heading,
                justify="left" if heading == "strategy" else "right",
                overflow="fold",  # arms differ in their ends
            )
        for name, arm in report["strategies"].items():
            own = [curve for curve in curves if curve.arm == name]
            table.add_row(name, *_cells(arm, own, target, shown))
        yield table


def _cells(arm: Json, own: list[Curve], target: str, shown: list[str]) -> list[str]:
    last = [
        f"{math.exp(_mean_log(errors_of(own, target, column)[:, -1])):.4f}"
        for column in shown
    ]
    return [
        _with_interval(arm["rmse_ratio"][target]),
        _with_interval(arm["label_ratio"][target]),
        *last,
        f"{arm['select_seconds']:.2f}",
        *(f"{count:.1f}" for count in arm.get("spoiled_labels", {}).values()),
    ]


def _mean_log(errors: Any) -> float:  # Any: `S` errors
    return float(sum(math.log(error) for error in errors) / len(errors))


def _with_interval(ratio: Json) -> str:
    def shown(value: float | None) -> str:
        return ">1" if value is None else f"{value:.3f}"

    low, high = ratio["ci95"]
    return f"{shown(ratio['median'])} ({shown(low)} to {shown(high)})"
