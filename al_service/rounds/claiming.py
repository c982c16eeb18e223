"""Runs change hands by compare-and-set: one holder at a time, found again if lost."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy.orm import Session

from al_service.errors import Conflict, NotFound
from al_service.rounds.planning import PlannedRun
from db.base import JsonObject
from db.repositories import claims, runs
from db.vocabulary import RunKind, RunState

DEADLINE: Final = timedelta(hours=6)
MAX_ATTEMPTS: Final = 3

RING_AFTER: Final = timedelta(seconds=10)
"""A message that nobody acted on for so long is taken for lost and sent again: below
what a labeler waits for gladly, above the time a head run keeps a worker busy."""


class BeatAnswer(StrEnum):
    """What a heartbeat hears."""

    KEEP = "keep"  # go on
    CANCELED = "canceled"  # somebody wants it to stop
    DEADLINE = "deadline"  # it takes too long
    LOST = "lost"  # another worker holds it now, or it is over


@dataclass(frozen=True)
class Claim:
    """The right to work on a run, until somebody claims it again."""

    run_id: int
    fence: int
    """Only the newest claim's fence opens the way to publication."""
    kind: RunKind
    campaign_id: int

    def beat(self, session: Session, progress: float) -> BeatAnswer:
        """Show that we live; see `beat`."""
        return beat(session, self, progress)


def claim(
    session: Session,
    run_id: int,
    *,
    worker: str,
    stale_after: timedelta,
    deadline: timedelta = DEADLINE,
    max_attempts: int = MAX_ATTEMPTS,
) -> Claim | None:
    """Take a planned run up, or one whose worker has fallen silent.

    Args:
        session: the caller commits at once.
        run_id: which run.
        worker: who we are.
        stale_after: silence after which a worker counts as lost.
        deadline: how long the run may take from now.
        max_attempts: how often a run is taken up at most.

    Returns:
        None where somebody else has it, or it is over: a normal answer.
    """
    run = claims.claim(
        session,
        run_id,
        worker=worker,
        stale_after=stale_after,
        deadline=deadline,
        max_attempts=max_attempts,
    )
    if run is None:
        return None
    return Claim(run.id, run.fence, run.kind, run.campaign_id)


def beat(session: Session, claim: Claim, progress: float | None = None) -> BeatAnswer:
    """Show that we live, and hear whether to go on.

    Args:
        session: the caller commits.
        claim: what we hold.
        progress: the finished share; it never goes back within an attempt.
    """
    answer = claims.beat(session, claim.run_id, claim.fence, progress)
    if answer is None:
        return BeatAnswer.LOST
    canceled, late = answer
    if canceled:
        return BeatAnswer.CANCELED
    return BeatAnswer.DEADLINE if late else BeatAnswer.KEEP


def finish(
    session: Session,
    claim: Claim,
    state: RunState,
    *,
    message: str | None = None,
    metrics: JsonObject | None = None,
    checkpoint_digest: str | None = None,
    head_digest: str | None = None,
) -> bool:
    """End a run; in the transaction that publishes its results, before them.

    Args:
        session: the caller commits, or rolls back where the answer is False.
        claim: what we hold.
        state: how it ended.
        message: why, where it was not published.
        metrics: what it measured; None leaves what is there, like the next two.
        checkpoint_digest: the network and its last layer.
        head_digest: digest of the labels that the last layer knows.

    Returns:
        False where the claim is not the newest any more, or where a run that was
        canceled in the meantime would be published.
    """
    facts: dict[str, JsonObject | str | int | None] = {
        name: value
        for name, value in (
            ("message", message),
            ("metrics", metrics),
            ("checkpoint_digest", checkpoint_digest),
            ("head_digest", head_digest),
        )
        if value is not None
    }
    return claims.finish(session, claim.run_id, claim.fence, state, facts)


def put_back(session: Session, claim: Claim) -> bool:
    """Give a run back for another worker to take up at once; no attempt is counted."""
    return claims.put_back(session, claim.run_id, claim.fence)


def try_again(
    session: Session, claim: Claim, *, max_attempts: int = MAX_ATTEMPTS
) -> bool:
    """Give a run back after trouble that may pass; the attempt is counted.

    Args:
        session: the caller commits.
        claim: what we hold.
        max_attempts: how often a run is taken up at most.

    Returns:
        False where that was the last attempt, where it was canceled, or where the
        claim is not the newest any more.
    """
    return claims.put_back(
        session, claim.run_id, claim.fence, max_attempts=max_attempts
    )


def cancel(session: Session, run_id: int) -> RunState:
    """Stop a run: at once where nobody works on it, else with the next heartbeat.

    Returns:
        `canceled`, or `running` until its worker has heard.

    Raises:
        NotFound: no such run.
        Conflict: it is over.
    """
    if claims.cancel_planned(session, run_id):
        return RunState.CANCELED
    if claims.ask_to_cancel(session, run_id):
        return RunState.RUNNING
    run = runs.by_id(session, run_id)
    if run is None:
        raise NotFound("run", run_id)
    raise Conflict(f"run {run_id} is {run.state}: it cannot be canceled any more")


def stale_runs(
    session: Session,
    stale_after: timedelta,
    max_attempts: int = MAX_ATTEMPTS,
    ring_after: timedelta = RING_AFTER,
) -> list[PlannedRun]:
    """Runs that want a worker although somebody was told: messages get lost.

    Runs whose workers were lost too often have failed then, and canceled ones whose
    worker was lost are over.

    Args:
        session: the caller commits, then rings.
        stale_after: silence after which a worker counts as lost.
        max_attempts: how often a run is taken up at most.
        ring_after: time since it was last rung for.

    Returns:
        Every such run to one caller only.
    """
    claims.end_abandoned(session, stale_after=stale_after, max_attempts=max_attempts)
    unheard = claims.take_unheard(
        session, stale_after=stale_after, ring_after=ring_after
    )
    return [PlannedRun(run_id, kind) for run_id, kind in unheard]
