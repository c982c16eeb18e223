"""Background runs: claimed, worked off with no transaction open, published once.

Running a run twice equals running it once: whoever does not hold the newest claim
publishes nothing.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Final

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from al_service.errors import (
    ALServiceError,
    Conflict,
    CorruptArtifact,
    OutdatedCheckpoint,
    RunStopped,
)
from al_service.rounds import claiming, planning, publication, retention
from al_service.rounds.artifacts import Artifacts
from al_service.rounds.assignment import (
    Assignment,
    Served,
    Workplace,
    read_served,
    read_subject,
)
from al_service.rounds.claiming import Claim
from al_service.rounds.head_stage import refit_and_publish
from al_service.rounds.heart import Heart, Stop
from al_service.rounds.network_stage import train
from al_service.rounds.networks import Learned, load_learned
from al_service.rounds.order_record import save_order
from al_service.rounds.ordering import rank_unlabeled, read_queue
from al_service.rounds.publication import Outcome, Results
from al_service.rounds.terms import terms_of
from al_service.settings import Settings
from db.tables import Campaign, Run
from db.vocabulary import RunKind, RunState

MOST_OVERTAKEN: Final = 3
"""A full run that head runs keep overtaking publishes nevertheless; the next head run
brings the few labels that it has missed."""

logger = logging.getLogger(__name__)


def _keep_running() -> bool:
    return False


def carry_out(
    run_id: int,
    *,
    sessions: sessionmaker[Session],
    artifacts: Path,
    worker: str,
    settings: Settings,
    shutting_down: Callable[[], bool] = _keep_running,
) -> None:
    """Work off one run; a second delivery finds it claimed and returns.

    Args:
        run_id: which run.
        sessions: makes short transactions.
        artifacts: folder of arrays and checkpoints.
        worker: the name with which the claim is signed.
        settings: heartbeat, deadline, attempts, chunk sizes.
        shutting_down: whether this process was told to end; the run is then put back.
    """
    place = Workplace(sessions, Artifacts(artifacts), settings, worker, shutting_down)
    claim = _claim(run_id, place)
    if claim is None:
        logger.info("run %d is over, or somebody else works on it", run_id)
        return
    heart = Heart(
        claim.beat,
        of=f"run {run_id}",
        sessions=sessions,
        every_seconds=settings.heartbeat_seconds,
        shutting_down=shutting_down,
    )
    with heart:
        try:
            _work(claim, place, heart)
            retention.forget(sessions=sessions, artifacts=place.artifacts)
        except (CorruptArtifact, OutdatedCheckpoint) as error:
            logger.exception("run %d found a file that it cannot use", run_id)
            _finish(claim, place, RunState.FAILED, _message(error))
            if claim.kind is RunKind.HEAD:
                _train_anew(claim, place)
        except RunStopped as error:
            _end_early(claim, place, heart.stop, str(error))
        except (DBAPIError, OSError) as error:
            # A database or a disk that is away for a moment: another attempt, in which
            # a run that has published meanwhile stays as it is.
            logger.exception("run %d was interrupted", run_id)
            _try_again(claim, place, heart.stop, _message(error))
        except Exception as error:
            # Whatever went wrong belongs into the run's row, where people look.
            logger.exception("run %d failed", run_id)
            _finish(claim, place, RunState.FAILED, _message(error))


def _claim(run_id: int, place: Workplace) -> Claim | None:
    settings = place.settings
    with place.sessions.begin() as session:
        return claiming.claim(
            session,
            run_id,
            worker=place.worker,
            stale_after=settings.stale_after,
            deadline=timedelta(seconds=settings.run_deadline_seconds),
            max_attempts=settings.max_attempts,
        )


def _work(claim: Claim, place: Workplace, heart: Heart) -> None:
    with place.sessions.begin() as session:
        subject = read_subject(session, claim)
    assignment = Assignment(claim, subject, place, heart)
    if claim.kind is RunKind.FULL:
        _train_and_publish(assignment)
    elif claim.kind is RunKind.HEAD:
        _refit_and_publish(assignment)
    elif claim.kind is RunKind.SCORE:
        _rank_and_publish(assignment)
    else:
        raise ALServiceError(f"run {claim.run_id}: nobody does {claim.kind} runs yet")


def _train_and_publish(assignment: Assignment) -> None:
    """A full run: network, features, control arms, then the last layer of now."""
    learned, controls = train(assignment)
    for attempt in range(1, MOST_OVERTAKEN + 1):
        outcome = refit_and_publish(
            assignment,
            learned,
            served=_served_now(assignment),
            controls=controls,
            insists=attempt == MOST_OVERTAKEN,
        )
        if not _looks_again(assignment, outcome):
            return


def _refit_and_publish(assignment: Assignment) -> None:
    """A head run: the last layer of now on the network that serves now."""
    learned: Learned | None = None
    while True:
        served = _served_now(assignment)
        if served is None or served.network_digest is None:
            raise ALServiceError("no trained network serves: a head run needs one")
        if learned is None or learned.digest != served.network_digest:
            learned = load_learned(assignment, served)
        if learned is None:
            raise ALServiceError(f"run {served.run_id} names no network")
        outcome = refit_and_publish(assignment, learned, served=served)
        if not _looks_again(assignment, outcome):
            return


def _rank_and_publish(assignment: Assignment) -> None:
    """A score run: an order without labels, until there is a network."""
    while True:
        served = _served_now(assignment)
        if served is not None and served.network_digest is not None:
            message = f"run {served.run_id} serves: its ranking knows labels"
            _finish(assignment.claim, assignment.place, RunState.CANCELED, message)
            return
        with assignment.sessions.begin() as session:
            queue = read_queue(session, assignment.subject.campaign_id)
        terms = terms_of(assignment)
        ranking = rank_unlabeled(terms, queue)
        kept = save_order(assignment, terms, queue, ranking)
        results = Results(ranking, (), (), metrics={"order": kept})
        outcome = publication.publish(
            assignment, results, served_run_id=None if served is None else served.run_id
        )
        if not _looks_again(assignment, outcome):
            return


def _served_now(assignment: Assignment) -> Served | None:
    with assignment.sessions.begin() as session:
        return read_served(session, assignment.subject.campaign_id)


def _looks_again(assignment: Assignment, outcome: Outcome) -> bool:
    """Whether another run was published while this one looked at the old one."""
    if outcome is Outcome.LOST:
        # Canceled at the last moment; a run that somebody else holds stays theirs.
        message = "canceled before publication"
        _finish(assignment.claim, assignment.place, RunState.CANCELED, message)
    if outcome is not Outcome.OVERTAKEN:
        return False
    if assignment.heart.should_stop():
        raise RunStopped(f"run {assignment.run_id} was stopped before publication")
    return True


def _end_early(claim: Claim, place: Workplace, stop: Stop | None, why: str) -> None:
    """What the run's row says after its work was stopped."""
    logger.info("run %d: %s (%s)", claim.run_id, why, stop)
    if stop is Stop.CANCELED:
        _finish(claim, place, RunState.CANCELED, why)
    elif stop is Stop.DEADLINE:
        seconds = place.settings.run_deadline_seconds
        _finish(claim, place, RunState.FAILED, f"longer than {seconds:g} s: {why}")
    elif stop is Stop.SHUTDOWN:
        with place.sessions.begin() as session:
            claiming.put_back(session, claim)
    # Lost: whoever holds the run now answers for it.


def _try_again(claim: Claim, place: Workplace, stop: Stop | None, why: str) -> None:
    """Back to the queue after trouble that may pass; the last attempt ends the run."""
    with place.sessions.begin() as session:
        if not claiming.try_again(
            session, claim, max_attempts=place.settings.max_attempts
        ):
            state = RunState.CANCELED if stop is Stop.CANCELED else RunState.FAILED
            claiming.finish(session, claim, state, message=why)


def _finish(claim: Claim, place: Workplace, state: RunState, message: str) -> None:
    with place.sessions.begin() as session:
        claiming.finish(session, claim, state, message=message)


def _train_anew(claim: Claim, place: Workplace) -> None:
    """Plan the full run without which every head run to come would fail as well."""
    with suppress(Conflict), place.sessions.begin() as session:
        run = session.get_one(Run, claim.run_id)
        campaign = session.get_one(Campaign, run.campaign_id)
        full = planning.plan(session, campaign, RunKind.FULL)
        logger.info("run %d trains a network that can be read", full)


def _message(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
