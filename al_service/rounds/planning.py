"""Which runs are due: decided from labels in the database, planned at most once."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from al_service.errors import Conflict, RunInProgress, TooFewLabels
from al_service.randomness import derived_seed
from al_service.rounds import first_ranking
from al_service.rounds.policy import Threshold, policy_of
from db.repositories import campaigns, labels, runs
from db.repositories.labels import CurrentLabel
from db.repositories.runs import Changes, NewRun
from db.repositories.training import TRAINABLE_QUALITY
from db.tables import Campaign, Run
from db.vocabulary import CampaignState, RunKind, TrainingRole

_ROLES: Final = {
    RunKind.FULL: TrainingRole.NETWORK,
    RunKind.HEAD: TrainingRole.HEAD,
}
"""What the labels that are frozen at planning time are for."""


@dataclass(frozen=True)
class PlannedRun:
    """A run that wants a worker."""

    id: int
    kind: RunKind


@dataclass(frozen=True)
class NextRetrain:
    """When the network is trained next, if labels go on coming."""

    labels: int | None
    """After so many more labeled objects; None while a full run is live."""
    seconds: float | None
    """After so much time, for the labels that are there; None where none is new."""


def plan_due(session: Session, campaign_id: int) -> list[PlannedRun]:
    """Plan every run of a campaign that is due.

    Args:
        session: the caller commits, then rings for what was planned.
        campaign_id: whose runs; a campaign that is not there has none.

    Returns:
        What this call has planned; another one may have planned the rest.
    """
    campaign = campaigns.by_id(session, campaign_id)
    if campaign is None:
        return []
    planned = []
    for kind in due(session, campaign):
        run_id = _insert(session, campaign, kind)
        if run_id is not None:
            planned.append(PlannedRun(run_id, kind))
    return planned


def due(session: Session, campaign: Campaign) -> list[RunKind]:
    """The kinds of runs that the campaign wants now and that are not live."""
    if campaign.state is not CampaignState.ACTIVE:
        return []
    kinds = [
        kind
        for kind in (RunKind.FULL, RunKind.HEAD)
        if _is_due(session, campaign, kind)
    ]
    if first_ranking.is_due(session, campaign):
        kinds.append(RunKind.SCORE)
    return kinds


def plan(session: Session, campaign: Campaign, kind: RunKind) -> int:
    """Plan a run now, due or not.

    Args:
        session: the caller commits, then rings.
        campaign: whose run.
        kind: what it does.

    Returns:
        The new run.

    Raises:
        RunInProgress: the campaign has a live run of this kind.
        TooFewLabels: a network cannot be trained on so few.
        Conflict: the campaign is finished, or a head run misses a served network.
    """
    if campaign.state is CampaignState.FINISHED:
        raise Conflict(f"campaign {campaign.name!r} is finished: it runs nothing")
    running = runs.live(session, campaign.id, kind)
    if running is not None:
        raise RunInProgress(campaign.name, kind, running.id)
    if kind is RunKind.FULL:
        _check_enough(session, campaign)
    if kind is RunKind.HEAD and _base_of(session, campaign) is None:
        raise Conflict(
            f"campaign {campaign.name!r} serves no trained network yet: a head run"
            " needs one"
        )
    run_id = _insert(session, campaign, kind)
    if run_id is None:  # somebody planned it in this very moment
        winner = runs.live(session, campaign.id, kind)
        raise RunInProgress(campaign.name, kind, winner.id if winner else 0)
    return run_id


def freeze_training_set(session: Session, run: Run, role: TrainingRole) -> str:
    """Freeze the labels of this moment into a run: what it learns from.

    Args:
        session: the caller commits.
        run: whose set of this role; one that was frozen before is replaced.
        role: what the labels are for.

    Returns:
        The set's digest.
    """
    known = labels.current_labels(session, run.campaign_id, trainable=True)
    runs.freeze(session, run.id, role, known)
    return _digest_of(known)


def label_digest(pairs: Iterable[tuple[str, int]]) -> str:
    """The digest of a set of labels: other labels, another digest.

    Args:
        pairs: object id and label id, in any order.

    Returns:
        sha256 in hexadecimal.
    """
    by_object: dict[str, list[int]] = {}
    for object_id, label_id in pairs:
        by_object.setdefault(object_id, []).append(label_id)
    lines = [
        f"{object_id}:{','.join(map(str, sorted(by_object[object_id])))}\n"
        for object_id in sorted(by_object)
    ]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def config_digest(campaign: Campaign) -> str:
    """The digest of everything that decides what a network becomes, but the labels."""
    settings = [campaign.targets, campaign.model, campaign.strategy]
    canonical = json.dumps(settings, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def next_retrain(session: Session, campaign: Campaign) -> NextRetrain:
    """How far away the next full run is."""
    if runs.live(session, campaign.id, RunKind.FULL) is not None:
        return NextRetrain(None, None)
    policy = policy_of(campaign)
    changes = _changes(session, campaign, RunKind.FULL)
    missing = policy.min_labels - labels.count_trainable(session, campaign.id)
    wanted = max(policy.full.labels - changes.objects, missing, 0)
    if changes.oldest_seconds is None or missing > 0:
        return NextRetrain(wanted, None)
    return NextRetrain(wanted, max(policy.full.seconds - changes.oldest_seconds, 0.0))


def _is_due(session: Session, campaign: Campaign, kind: RunKind) -> bool:
    if kind is RunKind.HEAD and _base_of(session, campaign) is None:
        return False
    if runs.live(session, campaign.id, kind) is not None:
        return False
    policy = policy_of(campaign)
    threshold = policy.full if kind is RunKind.FULL else policy.head
    if not _reached(_changes(session, campaign, kind), threshold):
        return False
    return (
        kind is RunKind.HEAD
        or labels.count_trainable(session, campaign.id) >= policy.min_labels
    )


def _reached(changes: Changes, threshold: Threshold) -> bool:
    if changes.objects == 0 or changes.oldest_seconds is None:
        return False
    return (
        changes.objects >= threshold.labels
        or changes.oldest_seconds >= threshold.seconds
    )


def _changes(session: Session, campaign: Campaign, kind: RunKind) -> Changes:
    """What is new since the last run that has seen the labels of its time.

    A refused, failed or canceled run has seen them as well: training again on the
    very same labels would end in the same way, over and over.
    """
    seen = (
        runs.last_finished(session, campaign.id, kind)
        if kind is RunKind.FULL
        else _last_head(session, campaign)
    )
    return runs.changes_since(
        session,
        campaign.id,
        run_id=None if seen is None else seen.id,
        role=_ROLES[kind],
        quality=TRAINABLE_QUALITY,
    )


def _last_head(session: Session, campaign: Campaign) -> Run | None:
    """The served run, or a later head run that was not served."""
    served = _served(session, campaign)
    tried = runs.last_finished(session, campaign.id, RunKind.HEAD)
    if served is None or tried is None:
        return served or tried
    if tried.finished_at is None or served.finished_at is None:
        return served
    return tried if tried.finished_at > served.finished_at else served


def _insert(session: Session, campaign: Campaign, kind: RunKind) -> int | None:
    """Plan a run with the labels of this moment, unless one is live."""
    base = _base_of(session, campaign) if kind is RunKind.HEAD else None
    role = _ROLES.get(kind)
    known = (
        labels.current_labels(session, campaign.id, trainable=True)
        if role is not None
        else []
    )
    digest = _digest_of(known)
    n_labels = len({label.sky_object_id for label in known})
    run_id = runs.insert_planned(
        session,
        NewRun(
            campaign_id=campaign.id,
            kind=kind,
            n_labels=n_labels,
            label_digest=digest if base is None else base.label_digest,
            head_digest=None if base is None else digest,
            config_digest=config_digest(campaign),
            # The same labels in the same order are the same campaign: no label ids.
            seed=derived_seed(campaign.seed, "run", kind.value, n_labels),
            base_run_id=None if base is None else base.id,
        ),
    )
    if run_id is not None and role is not None:
        runs.freeze(session, run_id, role, known)
    return run_id


def _base_of(session: Session, campaign: Campaign) -> Run | None:
    """The full run whose network serves."""
    served = _served(session, campaign)
    if served is None or served.kind is RunKind.FULL:
        return served
    if served.base_run_id is None:
        return None
    return runs.by_id(session, served.base_run_id)


def _served(session: Session, campaign: Campaign) -> Run | None:
    served_run_id = campaigns.served_run_id(session, campaign.id)
    return None if served_run_id is None else runs.by_id(session, served_run_id)


def _check_enough(session: Session, campaign: Campaign) -> None:
    needed = policy_of(campaign).min_labels
    there = labels.count_trainable(session, campaign.id)
    if there < needed:
        raise TooFewLabels(campaign.name, needed, there)


def _digest_of(known: Iterable[CurrentLabel]) -> str:
    return label_digest((label.object_id, label.label_id) for label in known)
