"""What can be wrong with a label before the database is asked."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from al_service.errors import Problem
from al_service.survey.targets import check_values

QUALITIES = range(5)
"""0 nothing there … 4 confident (DESI visual inspection)."""


@dataclass(frozen=True)
class NewLabel:
    """What somebody says of one object."""

    object_id: str
    values: Mapping[str, float]
    """Target → value; empty with quality 0: the object cannot be labeled."""
    errors: Mapping[str, float] = field(default_factory=dict)
    """Target → standard deviation, in the target's unit."""
    quality: int = 4
    note: str | None = None
    source: str | None = None
    supersedes: int | None = None
    """The label that this one corrects."""


def problems_of(labels: Sequence[NewLabel], targets: Sequence[str]) -> list[Problem]:
    """Everything that is wrong with the labels of a submission in themselves.

    Args:
        labels: the submission.
        targets: what its campaign predicts.
    """
    return [
        Problem(f"labels[{place}]{where}", message)
        for place, label in enumerate(labels)
        for where, message in (
            *_quality(label),
            *_values(label, targets),
            *_errors(label),
        )
    ] + _repeated(labels)


def _quality(label: NewLabel) -> Iterator[tuple[str, str]]:
    if label.quality not in QUALITIES:
        yield ".quality", f"expected 0 to 4, found {label.quality}"
    elif not label.values and label.quality != 0:
        yield (
            ".values",
            "expected at least one value, found none: an object that cannot be"
            " labeled has quality 0",
        )


def _values(label: NewLabel, targets: Sequence[str]) -> Iterator[tuple[str, str]]:
    good: dict[str, float] = {}
    for target, value in label.values.items():
        if target not in targets:
            yield (
                f".values.{target}",
                f"not a target of this campaign: expected {', '.join(targets)}",
            )
        elif problems := check_values({target: value}):
            yield from ((f".values.{target}", problem) for problem in problems)
        else:
            good[target] = value
    # "sfr_p84: quantiles must ascend, …": the sentence begins with its target.
    for problem in check_values(good):
        yield f".values.{problem.partition(':')[0]}", problem


def _errors(label: NewLabel) -> Iterator[tuple[str, str]]:
    for target, error in label.errors.items():
        where = f".errors.{target}"
        if target not in label.values:
            yield where, "an error without a value"
        elif not (math.isfinite(error) and error > 0):
            yield where, f"expected a positive standard deviation, found {error}"


def _repeated(labels: Sequence[NewLabel]) -> list[Problem]:
    first: dict[str, int] = {}
    return [
        Problem(
            f"labels[{place}].object_id",
            f"{label.object_id} is in labels[{first[label.object_id]}] as well",
        )
        for place, label in enumerate(labels)
        if first.setdefault(label.object_id, place) != place
    ]
