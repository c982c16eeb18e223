"""The control: what the same number of random labels would have taught.

Two more models are trained through the same code path, at equal numbers of labels:
one on the initial set and the random sample, one on the initial set and the first
labels that the strategy asked for.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from al_service.acquisition.density import density_weights, represented_rows
from al_service.acquisition.strategies import Strategy
from al_service.posterior.features import extract
from al_service.posterior.head import fit_head
from al_service.rounds.arms import Arms, choose_arms, read_arm_facts
from al_service.rounds.assignment import Assignment
from al_service.rounds.evaluating import Examination, curve_points, examine
from al_service.rounds.networks import train_network
from al_service.rounds.scoring import FeatureCache
from al_service.rounds.training_data import EvaluationSet, LabeledObjects
from db.repositories import training
from db.tables import CurvePoint
from db.vocabulary import Arm

GROWTH: Final = 1.2
"""The arms are trained again when they have a fifth more labels of their own: two
networks at every full run would double its price and draw the same point again."""


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


def control_points(
    assignment: Assignment,
    frozen: LabeledObjects,
    arms: Arms,
    evaluation: EvaluationSet,
    *,
    pool_rows: NDArray[np.int64],
    previous: FeatureCache | None,
) -> list[CurvePoint]:
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
        points += curve_points(
            examination, run_id=assignment.run_id, arm=arm, n_labels=len(labels)
        )
    return points


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
