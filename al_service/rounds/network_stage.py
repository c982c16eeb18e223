"""The first stage of a full run: a network, the pool's features, the control arms."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from al_service.rounds.arms import Arms
from al_service.rounds.assignment import Assignment, Served, read_served
from al_service.rounds.controls import Controls, compare_arms, read_arms
from al_service.rounds.networks import Learned, learn, previous_features
from al_service.rounds.ordering import read_queue
from al_service.rounds.scoring import FeatureCache
from al_service.rounds.training_data import (
    EvaluationSet,
    LabeledObjects,
    evaluation_set,
    labels_of_run,
)
from db.tables import Campaign
from db.vocabulary import TrainingRole


@dataclass(frozen=True)
class _Beginning:
    """What the run reads, in one transaction, before it learns."""

    served: Served | None
    frozen: LabeledObjects
    evaluation: EvaluationSet
    arms: Arms | None
    """Labels of the control arms; None where there is nothing new to compare."""
    pool_rows: NDArray[np.int64]
    """Rows of the objects that may be asked for."""


def train(assignment: Assignment) -> tuple[Learned, Controls]:
    """Train the network of a full run, and its control arms where they are due.

    Returns:
        The network with the pool's features, and what the control arms have shown,
        which is not stored yet.
    """
    beginning = _read_beginning(assignment)
    previous = previous_features(assignment, beginning.served)
    learned = learn(
        assignment, beginning.frozen, previous, pool_rows=beginning.pool_rows
    )
    return learned, _controls(assignment, beginning, previous)


def _read_beginning(assignment: Assignment) -> _Beginning:
    arrays = assignment.arrays  # opened before the transaction
    with assignment.sessions.begin() as session:
        campaign = session.get_one(Campaign, assignment.subject.campaign_id)
        served = read_served(session, campaign.id)
        frozen = labels_of_run(
            session,
            assignment.run_id,
            TrainingRole.NETWORK,
            targets=assignment.subject.targets,
        )
        return _Beginning(
            served=served,
            frozen=frozen,
            evaluation=evaluation_set(session, campaign, arrays),
            arms=read_arms(session, assignment, frozen),
            pool_rows=read_queue(session, campaign.id).pool_rows,
        )


def _controls(
    assignment: Assignment, beginning: _Beginning, previous: FeatureCache | None
) -> Controls:
    if beginning.arms is None:
        return Controls()
    return compare_arms(
        assignment,
        beginning.frozen,
        beginning.arms,
        beginning.evaluation,
        pool_rows=beginning.pool_rows,
        previous=previous,
    )
