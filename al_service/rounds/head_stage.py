"""The second speed of learning: labels of this moment, last layer, gate, ranking.

A head run is this stage alone; a full run ends with it, so that it never meets a
better-informed serving run with stale labels.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from sqlalchemy.orm import Session

from al_service.acquisition.strategies import StrategyConfig
from al_service.errors import RunStopped
from al_service.posterior.checkpoint import save_checkpoint
from al_service.posterior.head import Head
from al_service.rounds import claiming, planning, publication
from al_service.rounds.assignment import Assignment, Served
from al_service.rounds.binning import binned_coverage
from al_service.rounds.claiming import BeatAnswer
from al_service.rounds.controls import Controls, keep_arm
from al_service.rounds.evaluating import (
    Baseline,
    Examination,
    Verdict,
    curve_points,
    examine,
    judge,
    metrics_json,
    save_examination,
    verdict_json,
)
from al_service.rounds.gradients import gradients_for
from al_service.rounds.networks import Learned, identity_of
from al_service.rounds.order_record import save_order
from al_service.rounds.ordering import (
    NewRanking,
    Queue,
    rank_queue,
    read_queue,
)
from al_service.rounds.predicting import expected_losses, predict_head
from al_service.rounds.publication import Outcome, Results
from al_service.rounds.refitting import refit
from al_service.rounds.terms import terms_of
from al_service.rounds.training_data import (
    EvaluationSet,
    LabeledObjects,
    evaluation_set,
    labels_of_run,
)
from db.base import JsonObject
from db.repositories import runs
from db.tables import Campaign, Run
from db.vocabulary import Arm, RunKind, TrainingRole

ANOMALIES_NAMED: Final = 100
"""Held-back objects that a run names; it counts them all."""

_EVALUATION_PREDICTIONS: Final = "evaluation_predictions"

NO_CONTROLS: Final = Controls()
"""Of a head run, and of a full run whose arms have little new."""


@dataclass(frozen=True)
class Moment:
    """The state of a campaign in which a last layer is fitted."""

    labels: LabeledObjects
    head_digest: str
    queue: Queue
    evaluation: EvaluationSet


def refit_and_publish(
    assignment: Assignment,
    learned: Learned,
    *,
    served: Served | None,
    controls: Controls = NO_CONTROLS,
    insists: bool = False,
) -> Outcome:
    """Fit the last layer on the labels of now, and serve it if the gate agrees.

    Args:
        assignment: a full or a head run.
        learned: its network and the pool's features.
        served: the run that serves now.
        controls: what the control arms have shown, published along; a refusal keeps it.
        insists: publish even where another run was published meanwhile.

    Returns:
        `OVERTAKEN` where another run was published meanwhile: nothing was changed,
        and the caller looks again.
    """
    moment = read_moment(assignment, base_run_id=learned.run_id)
    strategy: StrategyConfig = assignment.subject.strategy
    head = refit(
        learned.network,
        learned.cache,
        moment.labels,
        pool_rows=moment.queue.pool_rows,
        alpha=strategy.weights_alpha,
    )
    assignment.heart.progress(0.9)
    examination = examine(
        head.predict(learned.cache.take(moment.evaluation.rows)),
        moment.evaluation,
        seed=assignment.subject.seed,
    )
    stored = save_examination(
        assignment.artifacts,
        examination,
        run_id=assignment.run_id,
        fence=assignment.claim.fence,
        identity=identity_of(assignment) | {"head_digest": moment.head_digest},
    )
    verdict = judge(
        assignment.artifacts,
        examination,
        run_id=assignment.run_id,
        baseline=_baseline(assignment, served),
        seed=assignment.subject.seed,
    )
    metrics = _metrics(learned, examination, verdict, n_labels=len(moment.labels))
    metrics[_EVALUATION_PREDICTIONS] = stored
    metrics |= _with_start(assignment, controls, examination).metrics
    if verdict.decision.refused:
        publication.refuse(
            assignment,
            metrics=metrics,
            message=verdict.decision.reason,
            head_digest=moment.head_digest,
            points=controls.points,
        )
        return Outcome.PUBLISHED
    results = _results(assignment, learned, moment, head, examination)
    return publication.publish(
        assignment,
        replace(
            results,
            metrics=metrics | results.metrics,
            points=[*results.points, *controls.points],
        ),
        served_run_id=None if served is None else served.run_id,
        insists=insists,
    )


def _with_start(
    assignment: Assignment, controls: Controls, examination: Examination
) -> Controls:
    """A full run's own model is kept as well: both arms begin with the first one."""
    if assignment.claim.kind is not RunKind.FULL:
        return controls
    own = keep_arm(assignment, examination, Arm.ACTIVE)
    return replace(controls, files={**controls.files, Arm.ACTIVE: own})


def read_moment(assignment: Assignment, *, base_run_id: int) -> Moment:
    """Freeze the labels of now into the run and read everything else beside them."""
    targets, arrays = assignment.subject.targets, assignment.arrays
    with assignment.sessions.begin() as session:
        if claiming.beat(session, assignment.claim) is BeatAnswer.LOST:
            raise RunStopped(f"run {assignment.run_id} is held by another worker")
        digest = _freeze(session, assignment, base_run_id)
        return Moment(
            labels=labels_of_run(
                session, assignment.run_id, TrainingRole.HEAD, targets=targets
            ),
            head_digest=digest,
            queue=read_queue(session, assignment.subject.campaign_id),
            evaluation=evaluation_set(
                session,
                session.get_one(Campaign, assignment.subject.campaign_id),
                arrays,
            ),
        )


def _baseline(assignment: Assignment, served: Served | None) -> Baseline | None:
    if served is None or served.best_run_id is None:
        return None
    with assignment.sessions.begin() as session:
        best = runs.by_id(session, served.best_run_id)
        facts = None if best is None else best.metrics
        stored = (facts or {}).get(_EVALUATION_PREDICTIONS)
        return Baseline(served.best_run_id, stored)


def _freeze(session: Session, assignment: Assignment, base_run_id: int) -> str:
    run = session.get_one(Run, assignment.run_id)
    if run.base_run_id is not None:
        # Planned on an older network: what serves now is what it refits.
        run.base_run_id = base_run_id
        run.label_digest = session.get_one(Run, base_run_id).label_digest
    return planning.freeze_training_set(session, run, TrainingRole.HEAD)


def _results(
    assignment: Assignment,
    learned: Learned,
    moment: Moment,
    head: Head,
    examination: Examination,
) -> Results:
    calibration = examination.calibration
    checkpoint_digest = save_checkpoint(
        assignment.artifacts.checkpoints, learned.network, head, calibration
    )
    terms = terms_of(assignment)
    ranking = _ranking(assignment, learned, moment, head, checkpoint_digest)
    return Results(
        ranking=ranking,
        predictions=predict_head(
            moment.queue,
            ranking,
            moment.evaluation if moment.evaluation.asked_for else None,
            head=head,
            calibration=calibration,
            cache=learned.cache,
        ),
        points=curve_points(
            examination,
            run_id=assignment.run_id,
            arm=Arm.ACTIVE,
            n_labels=len(moment.labels),
        ),
        metrics={
            "coverage": binned_coverage(examination, assignment.arrays),
            "anomalies": _anomalies(assignment, moment.queue, ranking),
            "expected": expected_losses(moment.queue, head=head, cache=learned.cache),
            "order": save_order(
                assignment, terms, moment.queue, ranking, cache=learned.cache
            ),
        },
        checkpoint_digest=checkpoint_digest,
        head_digest=moment.head_digest,
    )


def _ranking(
    assignment: Assignment,
    learned: Learned,
    moment: Moment,
    head: Head,
    checkpoint_digest: str,
) -> NewRanking:
    """The free candidates, compared by what the strategy wants to see."""
    gradients = gradients_for(assignment, learned, head, checkpoint_digest)
    compared_by = learned.cache if gradients is None else gradients
    return rank_queue(
        terms_of(assignment),
        moment.queue,
        head,
        learned.cache,
        feature_scale=learned.network.whitening.distance_scale,
        memory=compared_by.folder
        / f"nearest-labels-{assignment.subject.campaign_id}.npz",
        gradients=gradients,
    )


def _anomalies(assignment: Assignment, queue: Queue, ranking: NewRanking) -> JsonObject:
    """What the gate has held back: how many objects, and some of them."""
    held = queue.rows[np.isin(queue.sky_object_ids, ranking.odd_ids)]
    names = assignment.arrays.object_ids[held[:ANOMALIES_NAMED]].tolist()
    return {"count": len(held), "object_ids": names}


def _metrics(
    learned: Learned, examination: Examination, verdict: Verdict, *, n_labels: int
) -> JsonObject:
    return {
        "targets": metrics_json(examination),
        "n_labels": n_labels,
        "n_evaluation": int(examination.evaluation.labeled.sum()),
        "modalities": list(learned.network.modalities),
        "n_parameters": learned.network.n_parameters,
        "participation_ratio": learned.network.whitening.participation_ratio,
        "gate": verdict_json(verdict),
        "network": learned.digest,
        "seconds": dict(learned.seconds),
        "network_run": learned.run_id,
        "best_run": verdict.best_run_id,
    }
