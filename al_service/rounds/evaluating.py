"""How good a model is, and whether it may serve: metrics, intervals, the gate."""

import json
import logging
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from al_service.evaluation.bootstrap import Interval
from al_service.evaluation.gate import GateDecision, decide, object_losses
from al_service.evaluation.intervals import metric_intervals
from al_service.evaluation.report import COVERAGE_LEVELS
from al_service.posterior.calibration import Calibration, fit_calibration
from al_service.posterior.predictions import Predictions
from al_service.randomness import derived_seed
from al_service.rounds.artifacts import Array, Artifacts, load_arrays, save_arrays
from al_service.rounds.training_data import EvaluationSet
from db.base import JsonObject
from db.tables import CurvePoint
from db.vocabulary import Arm

_OBJECTS = "sky_object_ids"
_IDENTITY = "identity"
_FILE = "file"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Examination:
    """What the evaluation objects say about one model."""

    evaluation: EvaluationSet
    predictions: Predictions
    """Of all `E` objects, before calibration."""
    calibration: Calibration | None
    """None where there is no label to calibrate with."""
    metrics: dict[str, dict[str, Interval]]
    """Target to metric to estimate and 95 % interval."""

    @property
    def losses(self) -> NDArray[np.float64]:
        """`E` shares in the loss of the gate, 0 for objects without a label."""
        values = self.evaluation.values
        return object_losses(self.predictions.crps(values), values)


@dataclass(frozen=True)
class Baseline:
    """The best run served so far, and where its evaluation predictions are."""

    run_id: int
    stored: JsonObject | None
    """What `save_examination` has answered; None where the run's row has lost it."""


@dataclass(frozen=True)
class Verdict:
    """What the gate says, and which run the next one must not be worse than."""

    decision: GateDecision
    best_run_id: int


def examine(
    predictions: Predictions, evaluation: EvaluationSet, *, seed: int
) -> Examination:
    """Calibrate on one half of the evaluation labels, measure on all, cover the other.

    Args:
        predictions: of the `E` evaluation objects, before calibration.
        evaluation: their true values.
        seed: of the bootstrap.
    """
    labeled = evaluation.labeled
    if not labeled.any():
        return Examination(evaluation, predictions, None, {})
    calibrates = labeled & evaluation.calibrates
    calibration = fit_calibration(
        predictions.take(calibrates), evaluation.values[calibrates]
    )
    metrics = metric_intervals(
        calibration.apply(predictions).take(labeled),
        evaluation.values[labeled],
        evaluation.group_ids[labeled],
        seed=derived_seed(seed, "metrics"),
        reports_coverage=~evaluation.calibrates[labeled],
    )
    return Examination(evaluation, predictions, calibration, metrics)


def curve_points(
    examination: Examination, *, run_id: int, arm: Arm, n_labels: int
) -> list[CurvePoint]:
    """The points of the learning curve that an examination gives; not stored yet."""
    return [
        CurvePoint(
            run_id=run_id,
            arm=arm,
            target=target,
            metric=metric,
            n_labels=n_labels,
            n_evaluation=_n_evaluation(examination.evaluation, column, metric),
            value=found.estimate,
            low=_or_none(found.low),
            high=_or_none(found.high),
        )
        for column, target in enumerate(examination.predictions.targets)
        for metric, found in examination.metrics.get(target, {}).items()
        if np.isfinite(found.estimate)
    ]


def metrics_json(examination: Examination) -> JsonObject:
    """Target to metric to value, for the run's row."""
    return {
        target: {name: _or_none(found.estimate) for name, found in metrics.items()}
        for target, metrics in examination.metrics.items()
    }


def save_examination(
    artifacts: Artifacts,
    examination: Examination,
    *,
    run_id: int,
    fence: int,
    identity: JsonObject,
) -> JsonObject:
    """Keep a run's predictions for the evaluation objects: later runs are compared.

    Args:
        artifacts: where they are kept.
        examination: of the run.
        run_id: the run.
        fence: of its claim: another attempt writes another file.
        identity: what the run was made of; the file must say the same when it is read.

    Returns:
        The file's name and the identity, for the run's row.
    """
    path = artifacts.evaluation_predictions(run_id, fence)
    save_arrays(
        path,
        {
            _IDENTITY: np.array(_canonical(identity)),
            _OBJECTS: examination.evaluation.sky_object_ids,
            **examination.predictions.arrays(),
        },
    )
    return {_FILE: path.name, _IDENTITY: identity}


def judge(
    artifacts: Artifacts,
    examination: Examination,
    *,
    run_id: int,
    baseline: Baseline | None,
    seed: int,
) -> Verdict:
    """May a run serve? Compared with the best run served so far, on today's labels.

    Args:
        artifacts: where the best run's predictions are.
        examination: of the new run.
        run_id: the new run.
        baseline: the best run served so far; None before the first.
        seed: of the bootstrap.
    """
    best = None if baseline is None else _read(artifacts, baseline, examination)
    if baseline is None or best is None:
        decision = GateDecision(False, None, None, "passed: nothing to compare with")
        return Verdict(decision, run_id)
    new_losses, best_losses = best
    labeled = examination.evaluation.labeled
    decision = decide(
        new_losses[labeled],
        best_losses[labeled],
        examination.evaluation.group_ids[labeled],
        seed=derived_seed(seed, "gate"),
    )
    keeps = decision.ratio is not None and decision.ratio > 1.0
    return Verdict(decision, baseline.run_id if keeps else run_id)


def verdict_json(verdict: Verdict) -> JsonObject:
    """A decision of the gate, for the run's row."""
    decision = verdict.decision
    return {
        "refused": decision.refused,
        "ratio": None if decision.ratio is None else _or_none(decision.ratio),
        "interval90": None
        if decision.interval90 is None
        else [_or_none(end) for end in decision.interval90],
        "reason": decision.reason,
    }


def _read(
    artifacts: Artifacts, baseline: Baseline, examination: Examination
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Losses of the new run and of the best one; None where they cannot be compared."""
    stored = _read_stored(artifacts, baseline)
    if stored is None:
        return None
    place = {int(name): at for at, name in enumerate(stored.pop(_OBJECTS))}
    evaluation = examination.evaluation
    rows = np.array([place.get(int(one), -1) for one in evaluation.sky_object_ids])
    # Objects that the best run never saw say nothing about the pair.
    values = np.where((rows >= 0)[:, None], evaluation.values, np.nan)
    best = Predictions.from_arrays(examination.predictions.targets, stored).take(rows)
    return (
        object_losses(examination.predictions.crps(values), values),
        object_losses(best.crps(values), values),
    )


def _read_stored(artifacts: Artifacts, baseline: Baseline) -> dict[str, Array] | None:
    facts = baseline.stored or {}
    path = artifacts.run(baseline.run_id) / str(facts.get(_FILE))
    if not path.is_file():
        logger.warning("run %d: its evaluation predictions are gone", baseline.run_id)
        return None
    stored = load_arrays(path)
    if str(stored.pop(_IDENTITY, "")) != _canonical(facts.get(_IDENTITY)):
        logger.warning("run %d: %s is of another run", baseline.run_id, path)
        return None
    return stored


def _canonical(identity: JsonObject | None) -> str:
    return json.dumps(identity, sort_keys=True)


def _n_evaluation(evaluation: EvaluationSet, column: int, metric: str) -> int:
    known = np.isfinite(evaluation.values[:, column])
    if metric in COVERAGE_LEVELS:
        known = known & ~evaluation.calibrates
    return int(known.sum())


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
