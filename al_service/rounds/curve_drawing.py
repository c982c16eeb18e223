"""A campaign's learning curve as panels and lines: for pictures and terminals."""

from collections.abc import Mapping, Sequence
from typing import Final

from al_service.evaluation.curve_picture import (
    Line,
    Panel,
    PictureKind,
    draw_curves,
)
from al_service.evaluation.report import ratio_metric
from al_service.rounds.comparing import Saving, savings
from al_service.rounds.progress import Curve
from al_service.survey.targets import UNITS, Target
from db.repositories.progress import StoredPoint
from db.tables import Campaign
from db.vocabulary import Arm

MOST_PANELS: Final = 3
"""More do not fit a page side by side."""

QUANTITIES: Final[Mapping[str, str]] = {
    "rmse_norm": "RMSE of Δz / (1 + z)",
    "sigma_mad": "\N{GREEK SMALL LETTER SIGMA}$_{MAD}$ of Δz / (1 + z)",
    "outlier_fraction": "fraction with |Δz| / (1 + z) > 0.05",
}
"""Metrics of the redshift in words; the others are named with their target."""


def draw_learning_curve(
    campaign: Campaign, curve: Curve, *, kind: PictureKind
) -> bytes:
    """The picture of a campaign's curve: served model and controls."""
    remarks = [
        *saving_sentences(savings(curve.points, curve.intervals)),
        f"bands: 95 % bootstrap intervals on {curve.n_evaluation} evaluation labels",
        *curve.notes,
    ]
    return draw_curves(
        panels_of(campaign, curve),
        title=f"Learning curve of {campaign.name}",
        note="\n".join(remarks),
        kind=kind,
    )


def panels_of(campaign: Campaign, curve: Curve) -> list[Panel]:
    """What is drawn: two errors of a redshift, the leading error of other targets."""
    shown = [
        (target, metric)
        for target in campaign.targets
        for metric in shown_metrics(target)
    ][:MOST_PANELS]
    return [
        Panel(
            quantity(target, metric), lines_of(campaign, curve.points, target, metric)
        )
        for target, metric in shown
    ]


def shown_metrics(target: str) -> tuple[str, ...]:
    """The errors that stand for a target in a picture."""
    if target == Target.Z:
        return (ratio_metric(target), "sigma_mad")
    return (ratio_metric(target),)


def quantity(target: str, metric: str) -> str:
    """A metric in words, with its unit."""
    if metric in QUANTITIES:
        return QUANTITIES[metric]
    unit = UNITS.get(target, "")
    return f"{metric} of {target}" + (f" [{unit}]" if unit else "")


def lines_of(
    campaign: Campaign, points: Sequence[StoredPoint], target: str, metric: str
) -> list[Line]:
    """One line per arm, by number of labels."""
    strategy = str(campaign.strategy["name"])
    names = {
        Arm.ACTIVE: f"served model (asked by {strategy})",
        Arm.ACTIVE_MATCHED: f"{strategy} labels only, as many as random",
        Arm.RANDOM: "random labels only",
    }
    return [
        _line(
            name,
            [
                one
                for one in points
                if (one.arm, one.target, one.metric) == (arm, target, metric)
            ],
        )
        for arm, name in names.items()
    ]


def saving_sentences(found: Mapping[str, Saving | None]) -> list[str]:
    """What was saved against random, in words; nothing where nobody can tell yet."""
    return [
        f"{target}: {saving_sentence(saving)}"
        for target, saving in found.items()
        if saving is not None
    ]


def saving_sentence(saving: Saving) -> str:
    """What was saved on one target, in words."""
    goal = f"random's {saving.metric} after {saving.n_labels} labels"
    ratio = f"(error ratio {saving.error_ratio:.3f})"
    if saving.label_ratio is None:
        return f"{goal} was not reached {ratio}"
    labels = f"{saving.label_ratio:.0%}{_interval_words(saving)} of the labels"
    return f"{goal} was reached with {labels} {ratio}"


def _interval_words(saving: Saving) -> str:
    """` (95 % interval 46% to 76%)`; an open end is where it was not reached."""
    if saving.intervals is None:
        return ""
    low, high = saving.intervals.label_ratio
    ends = ["not reached" if end is None else f"{end:.0%}" for end in (low, high)]
    return f" (95 % interval {ends[0]} to {ends[1]})"


def _line(name: str, points: Sequence[StoredPoint]) -> Line:
    """Of several runs on as many labels the last one counts."""
    last = {one.n_labels: one for one in sorted(points, key=lambda one: one.run_id)}
    ordered = [last[n_labels] for n_labels in sorted(last)]
    return Line(
        name=name,
        n_labels=[one.n_labels for one in ordered],
        value=[one.value for one in ordered],
        low=[one.low for one in ordered],
        high=[one.high for one in ordered],
    )
