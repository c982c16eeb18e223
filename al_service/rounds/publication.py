"""A run's results become what is served, in one transaction behind its fence.

Nobody who asks or tells waits for it: they go on in the order that serves, and the
campaign's row is all that changes hands.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.orm import Session

from al_service.rounds import claiming
from al_service.rounds.assignment import Assignment
from al_service.rounds.ordering import NewRanking
from db.base import JsonObject
from db.repositories import campaigns, locks, rankings
from db.repositories.predictions import NewPrediction, replace_predictions
from db.tables import CurvePoint
from db.vocabulary import RunState

logger = logging.getLogger(__name__)


class Outcome(StrEnum):
    """What became of an attempt to publish."""

    PUBLISHED = "published"  # it serves
    OVERTAKEN = "overtaken"  # another run was published since this one looked
    LOST = "lost"  # the claim is not the newest, or the run was canceled


@dataclass(frozen=True)
class Results:
    """Everything that a run publishes."""

    ranking: NewRanking
    predictions: Sequence[NewPrediction]
    points: Sequence[CurvePoint]
    metrics: JsonObject
    checkpoint_digest: str | None = None
    head_digest: str | None = None


def publish(
    assignment: Assignment,
    results: Results,
    *,
    served_run_id: int | None,
    insists: bool = False,
) -> Outcome:
    """Switch a campaign to a run's results, or change nothing at all.

    Args:
        assignment: the run.
        results: what it publishes.
        served_run_id: the run that served when the results were compared with it.
        insists: publish although another one serves now.
    """
    campaign_id = assignment.subject.campaign_id
    with assignment.sessions() as session, session.begin() as transaction:
        locks.hold_publication(session, campaign_id)
        serves = campaigns.served_run_id(session, campaign_id)
        if serves != served_run_id and not insists:
            transaction.rollback()
            return Outcome.OVERTAKEN
        if not _finish(session, assignment, results):
            transaction.rollback()
            return Outcome.LOST
        session.add_all(results.points)
        replace_predictions(
            session,
            campaign_id,
            run_id=assignment.run_id,
            predictions=results.predictions,
        )
        rankings.store_ranking(
            session,
            assignment.run_id,
            sky_object_ids=results.ranking.sky_object_ids.tolist(),
            scores=results.ranking.scores.tolist(),
            reason=results.ranking.reason,
        )
        campaigns.serve(session, campaign_id, assignment.run_id)
        # Not the last one: asks may be walking it just now.
        kept = [assignment.run_id, *([] if serves is None else [serves])]
        rankings.forget_rankings(session, campaign_id, kept=kept)
    logger.info(
        "run %d published: %d ranked, %d predictions",
        assignment.run_id,
        len(results.ranking.sky_object_ids),
        len(results.predictions),
    )
    return Outcome.PUBLISHED


def refuse(
    assignment: Assignment,
    *,
    metrics: JsonObject,
    message: str,
    head_digest: str,
    points: Sequence[CurvePoint] = (),
) -> None:
    """End a run that the gate has refused: nothing that serves is changed.

    Args:
        assignment: the run.
        metrics: what it measured.
        message: why it was refused.
        head_digest: digest of the labels that its last layer knows.
        points: of the control arms, which the gate does not judge.
    """
    with assignment.sessions.begin() as session:
        refused = claiming.finish(
            session,
            assignment.claim,
            RunState.REFUSED,
            message=message,
            metrics=metrics,
            head_digest=head_digest,
        )
        if refused:
            session.add_all(points)
    logger.warning("run %d: %s", assignment.run_id, message)


def _finish(session: Session, assignment: Assignment, results: Results) -> bool:
    return claiming.finish(
        session,
        assignment.claim,
        RunState.PUBLISHED,
        metrics=results.metrics,
        checkpoint_digest=results.checkpoint_digest,
        head_digest=results.head_digest,
    )
