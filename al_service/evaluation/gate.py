"""The promotion gate: a run that is clearly worse does not serve."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from al_service.errors import InvalidInput
from al_service.evaluation.bootstrap import paired_difference

TOLERANCE = 0.01
"""A run up to 1 % worse than the best one served may serve: noise of retraining."""

FEWEST_LABELS = 50
"""With fewer evaluation labels nothing can be told, and every run passes."""

_LEVEL = 0.90


@dataclass(frozen=True)
class GateDecision:
    """Whether a run may serve, and on which evidence."""

    refused: bool

    ratio: float | None
    """Loss of the new run over that of the best one served; None without evidence."""

    interval90: tuple[float, float] | None
    """Paired-bootstrap interval of the difference of losses, new minus best."""

    reason: str
    """The decision in words, for the run's record."""


def object_losses(
    crps: NDArray[np.float64], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Share of each evaluation object in the loss that the gate compares.

    The loss is the mean over targets with labels of mean CRPS / target spread. An
    object carries its part of it, scaled such that the plain mean over objects is
    the loss whatever labels are missing.

    Args:
        crps: `N x T` scores, target units.
        values: `N x T` labels, NaN where missing.

    Returns:
        `N` losses without unit, less is better.
    """
    if crps.shape != values.shape:
        raise InvalidInput(
            f"expected one score per label, got shapes {crps.shape} and {values.shape}"
        )
    observed = np.isfinite(values) & np.isfinite(crps)
    losses = np.zeros(len(values))
    targets = 0
    for column in range(values.shape[1]):
        there = observed[:, column]
        if not there.any():
            continue
        spread = float(np.std(values[there, column])) or 1.0
        losses[there] += crps[there, column] / (spread * there.mean())
        targets += 1
    return losses / max(1, targets)


def decide(
    loss_new: NDArray[np.float64],
    loss_best: NDArray[np.float64],
    group_ids: NDArray[np.str_],
    *,
    seed: int,
) -> GateDecision:
    """May the new run serve?

    It is refused when its loss is more than 1 % above that of the best run served so
    far and the 90 % paired-bootstrap interval of the difference excludes zero.

    Args:
        loss_new: `N` losses of the new run, per evaluation object.
        loss_best: `N` losses of the best run served so far, same objects.
        group_ids: `N` galaxies.
        seed: of the bootstrap.
    """
    count = len(loss_new)
    if count < FEWEST_LABELS:
        reason = (
            f"passed: {count} evaluation labels, {FEWEST_LABELS} are needed to judge"
        )
        return GateDecision(False, None, None, reason)
    difference = paired_difference(
        loss_new, loss_best, group_ids, seed=seed, level=_LEVEL
    )
    ratio = float(np.mean(loss_new) / np.mean(loss_best))
    refused = ratio > 1.0 + TOLERANCE and difference.low > 0.0
    reason = (
        f"{'refused' if refused else 'passed'}: loss {ratio:.3f} of the best run's, "
        f"difference {difference.estimate:+.4g} "
        f"(90 % interval {difference.low:+.4g} to {difference.high:+.4g})"
    )
    return GateDecision(refused, ratio, (difference.low, difference.high), reason)
