"""The control: what the same number of random labels would have taught.

Two more models are trained through the same code path, at equal numbers of labels:
one on the initial set and the random sample, one on the initial set and the first
labels that the strategy asked for.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from al_service.acquisition.density import density_weights, represented_rows
from al_service.acquisition.strategies import Strategy
from al_service.posterior.features import extract
from al_service.posterior.head import fit_head
from al_service.rounds.assignment import Assignment
from al_service.rounds.curve_notes import FEWEST_OF_AN_ARM
from al_service.rounds.evaluating import Examination, curve_points, examine
from al_service.rounds.networks import train_network
from al_service.rounds.scoring import FeatureCache
from al_service.rounds.training_data import EvaluationSet, LabeledObjects
from db.repositories import training
from db.tables import CurvePoint
from db.vocabulary import Arm, TrainingRole

GROWTH: Final = 1.2
"""The arms are trained again when they have a fifth more labels of their own: two
networks at every full run would double its price and draw the same point again."""


@dataclass(frozen=True)
class Arms:
    """The labels of both arms, of equal number."""

    random: NDArray[np.int64]
    """Places among the frozen labels: initial set and random sample."""
    active: NDArray[np.int64]
    """Places among the frozen labels: initial set and first labels of the strategy."""
    own: int
    """Labels of each arm beside the initial set."""


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
    last_key = training.largest_random_key(session, campaign_id)
    if strategy is Strategy.RANDOM or first_run is None or last_key is None:
        return None
    ids = frozen.sky_object_ids.tolist()
    initial = training.objects_of_run(session, first_run, TrainingRole.NETWORK)
    keys = training.random_keys(session, campaign_id, ids)
    asked = training.handed_out_for(session, campaign_id, strategy.value)
    drawn = training.largest_arm(session, campaign_id, Arm.RANDOM) or 0
    arms = choose_arms(
        initial=np.array([one in initial for one in ids], dtype=np.bool_),
        random_keys=np.array([keys[one] for one in ids], dtype=np.int64),
        last_key=last_key,
        first_unanswered=training.first_unanswered_key(
            session, campaign_id, assignment.run_id
        ),
        by_strategy=np.array([one in asked for one in ids], dtype=np.bool_),
        first_label_ids=frozen.first_label_ids,
    )
    own = drawn - len(initial)
    return arms if arms is not None and arms.own >= GROWTH * own else None


def choose_arms(
    *,
    initial: NDArray[np.bool_],
    random_keys: NDArray[np.int64],
    last_key: int,
    first_unanswered: int | None,
    by_strategy: NDArray[np.bool_],
    first_label_ids: NDArray[np.int64],
) -> Arms | None:
    """Equal numbers of random and of strategy labels beside the initial set.

    Args:
        initial: `M` flags: labels of the campaign's first network.
        random_keys: `M` fixed random keys.
        last_key: the end of the random sample so far.
        first_unanswered: smallest key of the sample without an answer: beyond it
            those that the strategy took would stand for all; None where all have one.
        by_strategy: `M` flags: objects that the strategy has asked for.
        first_label_ids: `M` first label of each object: the order in which they came.

    Returns:
        None where either arm has fewer than `FEWEST_OF_AN_ARM` labels of its own.
    """
    end = last_key + 1
    if first_unanswered is not None:
        end = min(end, first_unanswered)
    sample = np.flatnonzero(~initial & (random_keys < end))
    sample = sample[np.argsort(random_keys[sample], kind="stable")]
    chosen = np.flatnonzero(~initial & by_strategy)
    chosen = chosen[np.argsort(first_label_ids[chosen], kind="stable")]
    n = min(len(sample), len(chosen))
    if n < FEWEST_OF_AN_ARM:
        return None
    common = np.flatnonzero(initial)
    return Arms(
        random=np.sort(np.concatenate([common, sample[:n]])),
        active=np.sort(np.concatenate([common, chosen[:n]])),
        own=n,
    )


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
    arrays = assignment.arrays
    network = train_network(
        assignment, labels, pool_rows=pool_rows, alpha=alpha, previous=previous
    )
    features = extract(network, arrays.inputs(labels.rows))
    weights = None
    if alpha > 0.0:
        others = represented_rows(pool_rows, labels.rows)
        phi = extract(network, arrays.inputs(others)).phi
        weights = density_weights(features.phi, phi, alpha)
    head = fit_head(network, features, labels.values, labels.errors, weights)
    predictions = head.predict(extract(network, arrays.inputs(evaluation.rows)))
    return examine(predictions, evaluation, seed=assignment.subject.seed)
