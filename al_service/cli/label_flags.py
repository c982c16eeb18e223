"""Labels that the scan of the spectrum doubts, for whoever has just handed them in."""

from collections.abc import Sequence
from typing import Final

from rich.console import Console

from al_service.rounds.labeling import StoredLabel

SHOWN: Final = 20
"""A page; `GET /campaigns/{campaign}/labels?flagged=true` has them all."""


def show_flagged(console: Console, stored: Sequence[StoredLabel]) -> None:
    """Name the labels that deserve a second look; nothing where there is none."""
    flagged = [
        (label, label.check)
        for label in stored
        if label.check is not None and label.check.disagrees
    ]
    if not flagged:
        return
    console.print(
        f"{len(flagged)} to look at again: their spectra say something else",
        highlight=False,
    )
    for label, check in flagged[:SHOWN]:
        console.print(
            f"  {label.object_id}: z = {label.values['z']:g}, the scan says"
            f" {check.scan_class} at {check.scan_z:.5f} ({check.confidence:.0%} sure)",
            highlight=False,
            markup=False,
        )
    if len(flagged) > SHOWN:
        console.print(f"  … and {len(flagged) - SHOWN} more", highlight=False)
