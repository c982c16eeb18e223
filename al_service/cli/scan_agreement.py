"""`al scan --compare`: a scan beside the pipeline whose files were scanned."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from al_service.features.scan.agreement import Agreement, agreement


def show_agreement(console: Console, items: Sequence[dict[str, Any]]) -> None:
    """Show classes, errors and confidences of scanned spectra beside their pipeline's.

    Args:
        console: for people.
        items: as `al scan --json` writes them.
    """
    found = _compare(items)
    if not found.count:
        console.print("nothing to compare: the files say neither class nor redshift")
        return
    console.print(_classes(found))
    console.print(_confidences(found))
    console.print(
        f"{found.right} of {found.count} redshifts agree within 0.005 (1 + z),"
        " of quasars within 0.01 (1 + z)",
        highlight=False,
    )


def _compare(items: Sequence[dict[str, Any]]) -> Agreement:  # Any: JSON
    best = [one["candidates"][0] if one["candidates"] else {} for one in items]
    said = [one["pipeline"] for one in items]
    return agreement(
        np.array([one.get("z", np.nan) for one in best], dtype=np.float64),
        np.array([one.get("class", "") for one in best], dtype=np.str_),
        np.array([one["confidence"] for one in items], dtype=np.float64),
        pipeline_z=np.array(
            [np.nan if one["z"] is None else one["z"] for one in said], dtype=np.float64
        ),
        pipeline_class=np.array([one["class"] or "" for one in said], dtype=np.str_),
    )


def _classes(found: Agreement) -> Table:
    scanned = sorted({kind for _, kind in found.confusion})
    table = Table(
        "pipeline",
        *scanned,
        "median |dz|/(1+z)",
        "largest",
        title="class by the pipeline, and as scanned",
    )
    for kind, error in found.median_error.items():
        counts = (found.confusion.get((kind, other), 0) for other in scanned)
        largest = found.largest_error[kind]
        table.add_row(kind, *map(str, counts), f"{error:.1e}", f"{largest:.1e}")
    return table


def _confidences(found: Agreement) -> Table:
    table = Table("confidence", "spectra", "mean confidence", "right")
    for one in found.bins:
        table.add_row(
            f"{one.low:.0%} to {one.high:.0%}",
            str(one.count),
            f"{one.confidence:.0%}",
            f"{one.right:.0%}",
        )
    return table
