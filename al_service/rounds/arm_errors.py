"""What control arms said of the objects that examine, and how sure their lead is.

Their networks are gone when the run has ended; their predictions are kept for good, so
that arms of different runs are compared on the same objects, with the labels of today.
"""

import json
import logging
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.evaluation.report import ratio_metric, squared_error
from al_service.evaluation.saving import SavingIntervals, saving_intervals
from al_service.randomness import derived_seed
from al_service.rounds.artifacts import Artifacts, load_arrays, save_arrays
from al_service.rounds.evaluating import Examination
from al_service.rounds.training_data import EvaluationSet
from db.base import JsonObject
from db.vocabulary import Arm

FEWEST_OBJECTS: Final = 10
"""Objects below which drawing them again says nothing."""

_IDENTITY, _OBJECTS, _MEAN = "identity", "sky_object_ids", "mean"

logger = logging.getLogger(__name__)

Means = NDArray[np.float64]


@dataclass(frozen=True)
class ArmOfRun:
    """One arm of one run."""

    arm: Arm
    n_labels: int
    mean: Means
    """`E x T` predictions for the objects that examine today, NaN where unknown."""


def save_arm(
    artifacts: Artifacts,
    examination: Examination,
    *,
    run_id: int,
    fence: int,
    arm: Arm,
    identity: JsonObject,
) -> str:
    """Keep an arm's predictions.

    Args:
        artifacts: where they are kept.
        examination: of the arm.
        run_id: the run that trained it.
        fence: of the run's claim: another attempt writes another file.
        arm: which one.
        identity: what the run was made of; the file must say the same when it is read.

    Returns:
        The file's name, for the run's row.
    """
    path = artifacts.arm(run_id, fence, arm.value)
    save_arrays(
        path,
        {
            _IDENTITY: np.array(json.dumps(identity, sort_keys=True)),
            _OBJECTS: examination.evaluation.sky_object_ids,
            _MEAN: examination.predictions.mean.astype(np.float32),
        },
    )
    return path.name


def read_arm(
    artifacts: Artifacts, name: str, identity: JsonObject, evaluation: EvaluationSet
) -> Means | None:
    """An arm's predictions for the objects that examine today.

    Args:
        artifacts: where they are kept.
        name: what `save_arm` has answered.
        identity: what the run was made of.
        evaluation: today's objects.

    Returns:
        `E x T`, NaN for objects that did not examine then; None where the file is gone
        or of another run, or where nobody examined then.
    """
    path = artifacts.arms / name
    if not path.is_file():
        logger.warning("%s is gone", path)
        return None
    stored = load_arrays(path)
    if str(stored[_IDENTITY]) != json.dumps(identity, sort_keys=True):
        logger.warning("%s is of another run", path)
        return None
    place = {int(one): at for at, one in enumerate(stored[_OBJECTS])}
    if not place:
        return None
    rows = np.array(
        [place.get(int(one), -1) for one in evaluation.sky_object_ids], dtype=np.int64
    )
    mean = stored[_MEAN].astype(np.float64)
    return np.where((rows >= 0)[:, None], mean[rows], np.nan)


def intervals_of(
    targets: Iterable[str],
    arms: Iterable[ArmOfRun],
    evaluation: EvaluationSet,
    *,
    seed: int,
) -> JsonObject:
    """How sure the lead of the strategy's arm is.

    Args:
        targets: names of the `T` targets.
        arms: of all runs so far, the earliest first; `active` is the first network,
            which both arms start from.
        evaluation: the objects that examine today.
        seed: of the bootstrap.

    Returns:
        Target to intervals; targets with fewer than two pairs of points are left out.
    """
    n_labels, active, random = _pairs(arms)
    if len(n_labels) < 2:
        return {}
    found: JsonObject = {}
    for column, target in enumerate(targets):
        truth = evaluation.values[:, column]
        errors = [
            np.stack([squared_error(target, truth, one[:, column]) for one in curve])
            for curve in (active, random)
        ]
        examined = np.isfinite(np.concatenate(errors)).all(axis=0)
        if examined.sum() < FEWEST_OBJECTS:
            continue
        intervals = saving_intervals(
            n_labels,
            errors[0][:, examined],
            errors[1][:, examined],
            evaluation.group_ids[examined],
            seed=derived_seed(seed, "saving"),
        )
        found[target] = _as_json(target, int(n_labels[-1]), intervals)
    return found


def _pairs(
    arms: Iterable[ArmOfRun],
) -> tuple[NDArray[np.int64], list[Means], list[Means]]:
    """Numbers of labels at which both arms have a point, and their predictions."""
    known: Mapping[Arm, dict[int, Means]] = {arm: {} for arm in Arm}
    for one in arms:
        if one.arm is not Arm.ACTIVE or not known[Arm.ACTIVE]:
            known[one.arm][one.n_labels] = one.mean  # a later run has the last word
    active, random = known[Arm.ACTIVE_MATCHED], known[Arm.RANDOM]
    common = sorted(active.keys() & random.keys())
    for n_labels, mean in known[Arm.ACTIVE].items():
        if common and n_labels < common[0]:
            active[n_labels] = random[n_labels] = mean
            common = [n_labels, *common]
    return (
        np.array(common, dtype=np.int64),
        [active[n] for n in common],
        [random[n] for n in common],
    )


def _as_json(target: str, n_labels: int, found: SavingIntervals) -> JsonObject:
    low, high = found.label_ratio
    return {
        "metric": ratio_metric(target),
        "n_labels": n_labels,
        "label_ratio": [_or_none(low), _or_none(high)],
        "labels_saved": [
            _or_none((1.0 - high) * n_labels),
            _or_none((1.0 - low) * n_labels),
        ],
        "error_ratio": [_or_none(end) for end in found.error_ratio],
    }


def _or_none(value: float) -> float | None:
    """JSON has no infinity: what was not reached is null."""
    return value if math.isfinite(value) else None
