"""What `al replay` prints when it is done."""

import math
from collections.abc import Iterator
from typing import Any

from rich.table import Table

from al_service.evaluation.report import ratio_metric
from al_service.studies.campaign import Curve
from al_service.studies.comparing import DRAWN, values_of
from al_service.studies.replay_pages import shares_spoiled

Json = dict[str, Any]  # Any: JSON of any depth


def replay_tables(report: Json, curves: list[Curve]) -> Iterator[Table]:
    """All targets, where there are several; each strategy's last point and ratios.

    Args:
        report: of `replay_report`.
        curves: that it was made of.
    """
    shares = shares_spoiled(report)
    title = ", ".join(["ratios to random, 95 % over seeds", *shares])
    targets = list(curves[0].points[0].metrics)
    if len(targets) > 1:
        yield _all_targets(report, f"{len(targets)} targets: {title}")
    for target in targets:
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


def _all_targets(report: Json, title: str) -> Table:
    table = Table(title=title)
    table.add_column("strategy", overflow="fold")
    table.add_column("mean error ratio", justify="right")
    table.add_column("largest", justify="right")
    for name, arm in report["strategies"].items():
        table.add_row(name, *map(_with_interval, arm["all_targets"].values()))
    return table


def _cells(arm: Json, own: list[Curve], target: str, shown: list[str]) -> list[str]:
    last = [
        f"{math.exp(_mean_log(values_of(own, DRAWN, target, column)[:, -1])):.4f}"
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
