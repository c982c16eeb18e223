"""The control: what the same number of random labels would have taught.

Two more models are trained through the same code path, at equal numbers of labels:
one on the initial set and the random sample, one on the initial set and the first
labels that the strategy asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from al_service.acquisition.density import density_weights, represented_rows
from al_service.acquisition.strategies import Strategy
from al_service.posterior.features import extract
from al_service.posterior.teaching import fit_head
from al_service.rounds.arm_errors import (
    ArmOfRun,
    intervals_of,
    read_arm,
    save_arm,
)
from al_service.rounds.arms import Arms, choose_arms, read_arm_facts
from al_service.rounds.assignment import Assignment
from al_service.rounds.evaluating import Examination, curve_points, examine
from al_service.rounds.networks import identity_of, identity_of_run, train_network
from al_service.rounds.scoring import FeatureCache
from al_service.rounds.training_data import EvaluationSet, LabeledObjects
from db.base import JsonObject
from db.repositories import training
from db.repositories.progress import kept_arms
from db.tables import CurvePoint
from db.vocabulary import Arm

GROWTH: Final = 1.2
"""The arms are trained again when they have a fifth more labels of their own: two
networks at every full run would double its price and draw the same point again."""


@dataclass(frozen=True)
class Controls:
    """What the control arms of a run have shown."""

    points: tuple[CurvePoint, ...] = ()
    """Not stored yet."""
    files: Mapping[Arm, str] = field(default_factory=dict)
    """Arm to the file of its predictions."""
    intervals: JsonObject = field(default_factory=dict)
    """Target to how sure the strategy's lead is."""

    @property
    def metrics(self) -> JsonObject:
        """What the run's row says of them."""
        said: JsonObject = {"arms": dict(self.files)} if self.files else {}
        return said | ({"saved": self.intervals} if self.intervals else {})


def read_arms(
    session: Session, assignment: Assignment, frozen: LabeledObjects
) -> Arms | None:
    """Which labels each arm knows; None where there is nothing new to compare.

    Args:
        session: reads in its transaction.
        assignment: a full run.
        frozen: its labels.
    """
    campaign_id = assignment.subject.campaign_id
    strategy = assignment.subject.strategy.name
    first_run = training.first_published_full_run(session, campaign_id)
    if strategy is Strategy.RANDOM or first_run is None:
        return None
    facts = read_arm_facts(
        session,
        campaign_id,
        strategy=strategy.value,
        first_run=first_run,
        sky_object_ids=frozen.sky_object_ids.tolist(),
    )
    gap = training.first_unanswered_key(session, campaign_id, assignment.run_id)
    arms = choose_arms(
        facts, first_unanswered=gap, first_label_ids=frozen.first_label_ids
    )
    largest = training.largest_arm(session, campaign_id, Arm.RANDOM) or 0
    own = largest - facts.n_initial
    return arms if arms is not None and arms.own >= GROWTH * own else None


def compare_arms(
    assignment: Assignment,
    frozen: LabeledObjects,
    arms: Arms,
    evaluation: EvaluationSet,
    *,
    pool_rows: NDArray[np.int64],
    previous: FeatureCache | None,
) -> Controls:
    """Train and examine both arms; the points are not stored yet.

    Args:
        assignment: a full run.
        frozen: its labels.
        arms: which of them each arm knows.
        evaluation: the objects that examine.
        pool_rows: rows of the objects that may be asked for.
        previous: features under the network that serves, for pool-density weights.
    """
    alpha = assignment.subject.strategy.weights_alpha
    points: list[CurvePoint] = []
    examined: list[tuple[Arm, int, Examination]] = []
    for arm, places, exponent in (
        (Arm.RANDOM, arms.random, 0.0),
        (Arm.ACTIVE_MATCHED, arms.active, alpha),
    ):
        labels = frozen.take(places)
        examination = _examine_arm(
            assignment,
            labels,
            evaluation,
            pool_rows=pool_rows,
            alpha=exponent,
            previous=previous,
        )
        examined.append((arm, len(labels), examination))
        points += curve_points(
            examination, run_id=assignment.run_id, arm=arm, n_labels=len(labels)
        )
    return Controls(
        tuple(points),
        {
            arm: keep_arm(assignment, examination, arm)
            for arm, _, examination in examined
        },
        _intervals(assignment, examined, evaluation),
    )


def keep_arm(assignment: Assignment, examination: Examination, arm: Arm) -> str:
    """Keep what an arm of this run says of the objects that examine; the file's name.

    Args:
        assignment: a full run.
        examination: of the arm.
        arm: `active` of the campaign's first network is where both arms begin.
    """
    return save_arm(
        assignment.artifacts,
        examination,
        run_id=assignment.run_id,
        fence=assignment.claim.fence,
        arm=arm,
        identity=identity_of(assignment),
    )


def _intervals(
    assignment: Assignment,
    examined: Sequence[tuple[Arm, int, Examination]],
    evaluation: EvaluationSet,
) -> JsonObject:
    """How sure the lead of the strategy is, after this run and all before it."""
    subject = assignment.subject
    with assignment.sessions.begin() as session:
        kept = [
            (arm, n_labels, run.metrics["arms"][arm], identity)
            for run, arm, n_labels in kept_arms(session, subject.campaign_id)
            if run.metrics is not None
            for identity in [identity_of_run(run, subject.pool_digest)]
        ]
    arms = [
        ArmOfRun(arm, n_labels, mean)
        for arm, n_labels, name, identity in kept
        for mean in [read_arm(assignment.artifacts, name, identity, evaluation)]
        if mean is not None
    ]
    arms += [
        ArmOfRun(arm, n_labels, examination.predictions.mean)
        for arm, n_labels, examination in examined
    ]
    return intervals_of(subject.targets, arms, evaluation, seed=subject.seed)


def _examine_arm(
    assignment: Assignment,
    labels: LabeledObjects,
    evaluation: EvaluationSet,
    *,
    pool_rows: NDArray[np.int64],
    alpha: float,
    previous: FeatureCache | None,
) -> Examination:
    measured = assignment.measured
    network = train_network(
        assignment, labels, pool_rows=pool_rows, alpha=alpha, previous=previous
    )
    features = extract(network, measured.of(labels.rows))
    weights = None
    if alpha > 0.0:
        others = represented_rows(pool_rows, labels.rows)
        phi = extract(network, measured.of(others)).phi
        weights = density_weights(features.phi, phi, alpha)
    head = fit_head(network, features, labels.values, labels.errors, weights)
    predictions = head.predict(extract(network, measured.of(evaluation.rows)))
    return examine(predictions, evaluation, seed=assignment.subject.seed)
