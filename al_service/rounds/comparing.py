"""What the strategy has saved against random, from the points of a learning curve."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from al_service.evaluation.curves import error_ratio, label_ratio, labels_saved
from al_service.evaluation.report import ratio_metric
from db.base import JsonObject
from db.repositories.progress import StoredPoint
from db.vocabulary import Arm, RunKind

Ends = tuple[float | None, float | None]
"""Of a 95 % interval; None where random's final error was not reached."""


@dataclass(frozen=True)
class SavingInterval:
    """How sure a saving is: the galaxies that examine, drawn again in pairs.

    Another campaign would have brought other labels: that is no part of it.
    """

    label_ratio: Ends
    labels_saved: Ends
    error_ratio: Ends


@dataclass(frozen=True)
class Saving:
    """The strategy against random on one target, at equal numbers of labels."""

    metric: str
    """The error that is compared."""
    n_labels: int
    """Labels behind the last pair of points."""
    label_ratio: float | None
    """Labels that the strategy needed for random's final error, over random's; None
    where it was not reached."""
    labels_saved: float | None
    """Random's labels less those; None where it was not reached."""
    error_ratio: float
    """Geometric mean over the rounds after the first one; less than 1 is better."""
    intervals: SavingInterval | None = None
    """How sure this is, by the galaxies that examine; None where the arms were not
    compared on the same ones."""


def savings(
    points: Iterable[StoredPoint], intervals: JsonObject | None = None
) -> dict[str, Saving | None]:
    """Target to what was saved, from the control arms of full runs.

    Args:
        points: of one campaign; `random` and `active_matched` of one run know the
            initial set and equal numbers of labels beside it. Both arms start at the
            campaign's first network, which knows the initial set alone.
        intervals: of the run that compared the arms last, as its row has them.

    Returns:
        None for targets with fewer than two points that both arms have.
    """
    known = list(points)
    return {
        target: _with_interval(
            _saving(target, [one for one in known if one.target == target]),
            (intervals or {}).get(target),
        )
        for target in dict.fromkeys(one.target for one in known)
    }


def _with_interval(saving: Saving | None, stored: JsonObject | None) -> Saving | None:
    """An interval belongs to the numbers of labels that it was computed with."""
    if saving is None or stored is None or stored["n_labels"] != saving.n_labels:
        return saving
    return replace(
        saving,
        intervals=SavingInterval(
            label_ratio=_ends(stored["label_ratio"]),
            labels_saved=_ends(stored["labels_saved"]),
            error_ratio=_ends(stored["error_ratio"]),
        ),
    )


def _ends(stored: Sequence[float | None]) -> Ends:
    low, high = stored
    return low, high


def saving_between(
    metric: str,
    n_labels: Sequence[int],
    errors: Sequence[float],
    random_errors: Sequence[float],
) -> Saving | None:
    """What one curve has saved against another one on the same numbers of labels.

    Args:
        metric: name of the error.
        n_labels: `K` growing numbers of labels.
        errors: `K` errors of the strategy.
        random_errors: `K` errors of random.

    Returns:
        None for fewer than two points, or where an error is 0.
    """
    if len(n_labels) < 2 or min(*errors, *random_errors) <= 0:
        return None
    counts = np.array(n_labels)
    pair = (np.array([errors]), np.array([random_errors]))
    ratio = label_ratio(counts, *pair)
    return Saving(
        metric=metric,
        n_labels=int(counts[-1]),
        label_ratio=ratio if math.isfinite(ratio) else None,
        labels_saved=labels_saved(counts, *pair),
        error_ratio=error_ratio(counts, *pair),
    )


def _saving(target: str, points: Sequence[StoredPoint]) -> Saving | None:
    metric = ratio_metric(target)
    arms: dict[Arm, dict[int, float]] = {Arm.RANDOM: {}, Arm.ACTIVE_MATCHED: {}}
    for one in points:
        if one.metric == metric and one.arm in arms:
            arms[one.arm][one.n_labels] = one.value  # a later run has the last word
    random, active = arms[Arm.RANDOM], arms[Arm.ACTIVE_MATCHED]
    common = sorted(random.keys() & active.keys())
    start = _start(metric, points)
    if common and start is not None and start.n_labels < common[0]:
        random[start.n_labels] = active[start.n_labels] = start.value
        common = [start.n_labels, *common]
    return saving_between(
        metric,
        common,
        [active[n_labels] for n_labels in common],
        [random[n_labels] for n_labels in common],
    )


def _start(metric: str, points: Sequence[StoredPoint]) -> StoredPoint | None:
    """The first full run's point: no arm has labels of its own yet."""
    full = [
        one
        for one in points
        if one.metric == metric and one.kind is RunKind.FULL and one.arm is Arm.ACTIVE
    ]
    return min(full, key=lambda one: one.run_id, default=None)
