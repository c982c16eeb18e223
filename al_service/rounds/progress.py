"""Where a campaign stands: counts, curve, runs."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from al_service.errors import NotFound
from al_service.rounds import planning
from al_service.rounds.curve_notes import notes_on
from al_service.rounds.planning import NextRetrain
from db.base import JsonList, JsonObject
from db.repositories import (
    campaigns,
    candidates,
    label_checks,
    labels,
    leases,
    runs,
    training,
)
from db.repositories import progress as facts
from db.repositories.progress import StoredPoint
from db.tables import Campaign, Run
from db.vocabulary import CandidateState, RunKind, RunState, Split

LEAST_PROGRESS: Final = 0.02
"""Before this share is done nobody can tell how long the rest takes."""


@dataclass(frozen=True)
class Counts:
    """Objects and labels of a campaign."""

    free: int
    """Pool objects that may be handed out."""
    leased: int
    labeled: int
    """Pool objects out of the queue, whatever the quality of their labels."""
    evaluation_asked: int
    """Objects that examine and may be asked for, labeled or not."""
    evaluation_labels: int
    """Current, confident labels of such objects."""
    labels: int
    """Every label ever told, superseded ones included."""
    trainable: int
    """Current, confident labels of pool objects."""
    flagged: int
    """Current labels of which the scan of the spectrum says another redshift."""
    open_batches: int
    random_sample: int
    """Objects in the random sample so far, whoever took them."""


@dataclass(frozen=True)
class CampaignStatus:
    """What a campaign lead looks at."""

    campaign: Campaign
    pool: str
    counts: Counts
    spent: int
    """Objects that count against the budget: leased and labeled ones."""
    served_run: Run | None
    live_runs: tuple[Run, ...]
    next_retrain: NextRetrain
    due: tuple[RunKind, ...]
    """Kinds of runs that are wanted now and not planned yet: the sweep plans them."""


@dataclass(frozen=True)
class Curve:
    """Points of the learning curve with what has to be said about them."""

    points: tuple[StoredPoint, ...]
    n_evaluation: int
    """Evaluation labels behind the newest points."""
    notes: tuple[str, ...]
    intervals: JsonObject = field(default_factory=dict)
    """Target to how sure the strategy's lead over random was when last compared."""
    coverage: JsonList = field(default_factory=list)
    """How the served run's intervals cover in ranges of redshift and magnitude."""


@dataclass(frozen=True)
class RunView:
    """A run with how it fares."""

    id: int
    campaign_id: int
    kind: RunKind
    state: RunState
    n_labels: int
    progress: float
    eta_seconds: float | None
    """Time to go at the pace so far; None while nobody can tell."""
    stale: bool
    """Running, but its worker has fallen silent: somebody else will take it up."""
    attempts: int
    worker: str | None
    message: str | None
    label_digest: str
    head_digest: str | None
    config_digest: str
    checkpoint_digest: str | None
    base_run_id: int | None
    metrics: JsonObject | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


def campaign_status(session: Session, campaign: Campaign) -> CampaignStatus:
    """Where a campaign stands now."""
    campaign = campaigns.fresh(session, campaign)
    served = campaign.served_run_id
    return CampaignStatus(
        campaign=campaign,
        pool=campaigns.pool_of(session, campaign).name,
        counts=_counts(session, campaign),
        spent=candidates.count_taken(session, campaign.id),
        served_run=None if served is None else runs.by_id(session, served),
        live_runs=tuple(facts.live_runs(session, campaign.id)),
        next_retrain=planning.next_retrain(session, campaign),
        due=tuple(planning.due(session, campaign)),
    )


def learning_curve(session: Session, campaign: Campaign) -> Curve:
    """How good the published models were, over the labels they knew."""
    points = facts.curve_points(session, campaign.id)
    n_evaluation = points[-1].n_evaluation if points else 0
    return Curve(
        points=tuple(points),
        n_evaluation=n_evaluation,
        notes=notes_on(session, campaign, points),
        intervals=facts.latest_intervals(session, campaign.id),
        coverage=facts.latest_coverage(session, campaign.id),
    )


def list_runs(
    session: Session,
    campaign: Campaign,
    *,
    stale_after: timedelta,
    after: int | None = None,
    limit: int = 100,
) -> list[RunView]:
    """Runs, newest first, from the one behind `after`."""
    now = facts.database_now(session)
    found = runs.page(session, campaign.id, before=after, limit=limit)
    return [_view(run, now, stale_after) for run in found]


def show_run(session: Session, run_id: int, *, stale_after: timedelta) -> RunView:
    """A run as it stands now.

    Args:
        session: reads in its transaction.
        run_id: which run.
        stale_after: silence after which it is shown as stale: `stale_seconds` of the
            settings.

    Raises:
        NotFound: there is none of this number.
    """
    run = runs.by_id(session, run_id)
    if run is None:
        raise NotFound("run", run_id)
    return _view(run, facts.database_now(session), stale_after)


def campaign_of(session: Session, run: Run | RunView) -> Campaign:
    """The campaign that a run learns for."""
    return session.get_one(Campaign, run.campaign_id)


def _counts(session: Session, campaign: Campaign) -> Counts:
    objects = facts.count_objects(session, campaign.id)
    current = labels.count_current(session, campaign.id)
    return Counts(
        free=objects.get((Split.POOL, CandidateState.FREE), 0),
        leased=objects.get((Split.POOL, CandidateState.LEASED), 0),
        labeled=objects.get((Split.POOL, CandidateState.LABELED), 0),
        evaluation_asked=sum(
            count for (split, _), count in objects.items() if split is Split.EVALUATION
        ),
        evaluation_labels=current.get((Split.EVALUATION, True), 0),
        labels=labels.count_all(session, campaign.id),
        trainable=current.get((Split.POOL, True), 0),
        flagged=label_checks.count_flagged(session, campaign.id),
        open_batches=leases.count_open(session, campaign.id),
        random_sample=candidates.count_random_sample(
            session, campaign.id, training.largest_random_key(session, campaign.id)
        ),
    )


def _view(run: Run, now: datetime, stale_after: timedelta) -> RunView:
    silent = (
        run.state is RunState.RUNNING
        and run.heartbeat_at is not None
        and now - run.heartbeat_at > stale_after
    )
    stored = {
        column: getattr(run, column)
        for column in RunView.__dataclass_fields__
        if column not in {"eta_seconds", "stale"}
    }
    return RunView(
        **stored, eta_seconds=None if silent else _eta(run, now), stale=silent
    )


def _eta(run: Run, now: datetime) -> float | None:
    if run.state is not RunState.RUNNING or run.started_at is None:
        return None
    if run.progress < LEAST_PROGRESS:
        return None
    elapsed = (now - run.started_at).total_seconds()
    return max(elapsed * (1 - run.progress) / run.progress, 0.0)
