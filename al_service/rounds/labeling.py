"""Telling: labels are checked, stored all or none, and never changed afterwards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from al_service.errors import Conflict, InvalidLabels, NotFound, Problem
from al_service.rounds.checking import NewLabel as NewLabel  # for the doors
from al_service.rounds.checking import problems_of
from al_service.rounds.opinions import look_up
from al_service.rounds.reservations import Reservations, lock_reservations
from db.repositories import campaigns, leases, locks
from db.repositories import labels as stored_labels
from db.repositories.labels import CurrentLabel as CurrentLabel
from db.repositories.labels import FoundObject, LabelToAdd
from db.repositories.labels import StoredLabel as StoredLabel
from db.tables import Campaign, Lease
from db.vocabulary import CampaignState, Split

SOURCE: Final = "api"
"""Where a label comes from that does not say it."""


@dataclass(frozen=True)
class _Submission:
    """One labeler's labels with what the database knows of their objects."""

    campaign: Campaign
    labeler: str
    labels: Sequence[NewLabel]
    objects: Mapping[str, FoundObject]
    source_default: str

    def object_of(self, place: int) -> FoundObject:
        return self.objects[self.labels[place].object_id]


@dataclass(frozen=True)
class _Batch:
    """The batch that labels answer."""

    lease: Lease
    objects: frozenset[int]
    """Every object that it has handed out."""


def tell(
    session: Session,
    campaign: Campaign,
    *,
    labeler: str,
    batch_id: int | None,
    labels: Sequence[NewLabel],
    source_default: str = SOURCE,
) -> list[StoredLabel]:
    """Store labels, all or none.

    A label that this labeler has told before is answered again and not stored twice;
    another opinion on the same object has to name the label that it `supersedes`.
    A label is `late`, kept and flagged, where the batch that it answers does not
    reserve the object for this labeler: its time is over, or it is somebody else's.

    Args:
        session: the caller commits, then rings for planning.
        campaign: which campaign.
        labeler: who tells.
        batch_id: the batch that the labels answer, if they answer one.
        labels: what was measured; each object once.
        source_default: where labels come from that do not say it.

    Returns:
        One stored label for each, in their order.

    Raises:
        InvalidLabels: with every problem; nothing was stored.
        NotFound: there is no such batch in this campaign.
        Conflict: the campaign is finished.
    """
    submission = _submission(session, campaign, labeler, labels, source_default)
    batch = _checked(session, submission, batch_id)
    if submission.campaign.overlap > 1:
        locks.hold_opinions(session, campaign.id)
    return _store(session, submission, batch)


def check(
    session: Session,
    campaign: Campaign,
    *,
    labeler: str,
    batch_id: int | None,
    labels: Sequence[NewLabel],
) -> None:
    """Refuse what `tell` would refuse: before labels that are told in parts.

    Raises:
        InvalidLabels: with every problem.
        NotFound: there is no such batch in this campaign.
        Conflict: the campaign is finished.
    """
    submission = _submission(session, campaign, labeler, labels)
    _checked(session, submission, batch_id)
    _decide(session, submission)


def list_labels(
    session: Session,
    campaign: Campaign,
    after: int | None = None,
    limit: int = 100,
    *,
    flagged: bool = False,
) -> list[StoredLabel]:
    """Every label ever told, by number, from the one behind `after`.

    Args:
        session: reads in its transaction.
        campaign: whose labels.
        after: the last one seen.
        limit: how many at most.
        flagged: only those that deserve a second look.
    """
    return stored_labels.list_labels(
        session, campaign.id, after=after or 0, limit=limit, flagged=flagged
    )


def newest_label_id(session: Session, campaign: Campaign) -> int:
    """The number behind which every label is a new one; 0 before the first."""
    return stored_labels.newest_id(session, campaign.id)


def current_labels(session: Session, campaign_id: int) -> list[CurrentLabel]:
    """Labels that nobody has corrected, by object."""
    return stored_labels.current_labels(session, campaign_id)


def _submission(
    session: Session,
    campaign: Campaign,
    labeler: str,
    labels: Sequence[NewLabel],
    source_default: str = SOURCE,
) -> _Submission:
    campaign = campaigns.fresh(session, campaign)
    if campaign.state is CampaignState.FINISHED:
        raise Conflict(f"campaign {campaign.name!r} is finished: it takes no labels")
    names = list({label.object_id for label in labels})
    objects = stored_labels.find_objects(session, campaign.id, campaign.pool_id, names)
    return _Submission(campaign, labeler, labels, objects, source_default)


def _checked(
    session: Session, submission: _Submission, batch_id: int | None
) -> _Batch | None:
    """The batch that the labels answer, once nothing is wrong with them."""
    campaign = submission.campaign
    batch = None if batch_id is None else _find_batch(session, campaign, batch_id)
    _refuse(
        problems_of(submission.labels, campaign.targets)
        + _object_problems(submission, batch)
    )
    return batch


def _find_batch(session: Session, campaign: Campaign, batch_id: int) -> _Batch:
    lease = leases.find(session, batch_id)
    if lease is None or lease.campaign_id != campaign.id:
        raise NotFound("batch", batch_id)
    return _Batch(lease, frozenset(leases.objects_of(session, batch_id)))


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        raise InvalidLabels(problems)


def _object_problems(submission: _Submission, batch: _Batch | None) -> list[Problem]:
    problems = []
    for place, label in enumerate(submission.labels):
        message = _object_problem(submission.objects.get(label.object_id), batch)
        if message is not None:
            problems.append(
                Problem(f"labels[{place}].object_id", f"{label.object_id!r} {message}")
            )
    return problems


def _object_problem(found: FoundObject | None, batch: _Batch | None) -> str | None:
    if found is None:
        return "is not in the campaign's pool"
    if not found.is_candidate:
        if found.split is Split.EVALUATION:
            return "is held out: it examines models and cannot be labeled here"
        return "is excluded: it joins galaxies that train and galaxies that examine"
    if batch is not None and found.sky_object_id not in batch.objects:
        return f"is not in batch {batch.lease.id}"
    return None


def _store(
    session: Session, submission: _Submission, batch: _Batch | None
) -> list[StoredLabel]:
    """Add what is new and answer with what is there; a lost race is looked at again."""
    reservations = lock_reservations(
        session,
        submission.campaign.id,
        labeler=submission.labeler,
        objects=[one.sky_object_id for one in submission.objects.values()],
        batch_id=None if batch is None else batch.lease.id,
    )
    new = _decide(session, submission)[1]
    stored_labels.add(
        session,
        submission.campaign.id,
        [_to_add(submission, place, reservations) for place in new],
    )
    answers, lost = _decide(session, submission)
    if lost:
        raise Conflict(
            f"{len(lost)} label(s) met another correction of the same labels at this"
            " moment: nothing was stored, try again"
        )
    return [answers[place] for place in range(len(submission.labels))]


def _decide(
    session: Session, submission: _Submission
) -> tuple[dict[int, StoredLabel], list[int]]:
    """Which labels are stored already, and which are to be added.

    Raises:
        InvalidLabels: a label contradicts what is stored without saying so.
    """
    known = stored_labels.labels_of_objects(
        session,
        submission.campaign.id,
        [one.sky_object_id for one in submission.objects.values()],
    )
    answers, new, problems = {}, [], []
    for place, label in enumerate(submission.labels):
        before = known.get(submission.object_of(place).sky_object_id, [])
        answer = look_up(label, before, submission.labeler)
        if isinstance(answer, StoredLabel):
            answers[place] = answer
        elif answer is None:
            new.append(place)
        else:
            problems.append(Problem(f"labels[{place}].supersedes", answer))
    _refuse(problems)
    return answers, new


def _to_add(
    submission: _Submission, place: int, reservations: Reservations
) -> LabelToAdd:
    """A checked label as it is stored."""
    label, found = submission.labels[place], submission.object_of(place)
    lease_id = reservations.batch_of.get(found.sky_object_id)
    # A correction comes after the label that has ended the reservation: never late.
    late = (
        lease_id is not None
        and label.supersedes is None
        and found.sky_object_id not in reservations.in_time
    )
    return LabelToAdd(
        sky_object_id=found.sky_object_id,
        split=found.split,
        values=dict(label.values),
        errors=dict(label.errors),
        quality=label.quality,
        labeler=submission.labeler,
        source=label.source or submission.source_default,
        note=label.note,
        lease_id=lease_id,
        late=late,
        supersedes_id=label.supersedes,
    )
