"""Looking at objects: what the model thinks of them, what happened to them."""

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy.orm import Session

from al_service.errors import Conflict, NotFound
from db.base import JsonObject
from db.repositories import browsing
from db.repositories.browsing import ScoredObject
from db.repositories.labels import StoredLabel, labels_of_objects
from db.repositories.pools import list_visible
from db.tables import Campaign, Prediction, SkyObject
from db.vocabulary import CandidateState


class AmbiguousObject(Conflict):
    """Several pools hold an object of this id."""

    def __init__(self, object_id: str, pools: list[str]) -> None:
        super().__init__(
            f"object {object_id!r} is in the pools {', '.join(pools)}: say which one"
            " with ?pool=NAME"
        )


@dataclass(frozen=True)
class HandOut:
    """One time that the object was given to somebody."""

    batch_id: int
    labeler: str
    opened_at: datetime
    rank: int | None
    score: float | None
    reason: str


@dataclass(frozen=True)
class Candidacy:
    """The object in one campaign."""

    campaign: str
    state: CandidateState
    rank: int | None
    reason: str | None
    score: float | None
    run_id: int | None
    """The run that predicted it; None where the served run did not."""
    prediction: JsonObject | None
    handed_out: tuple[HandOut, ...]
    labels: tuple[StoredLabel, ...]


@dataclass(frozen=True)
class ObjectHistory:
    """One object with everything that the service knows and may show."""

    pool: str
    sky_object: SkyObject
    campaigns: tuple[Candidacy, ...]


def browse(
    session: Session,
    campaign: Campaign,
    *,
    after: tuple[float | None, int] | None,
    limit: int,
) -> list[ScoredObject]:
    """The objects that the served run knows least about, highest score first.

    Before a run has predicted anything, the pool's objects in the order of the pool,
    with neither score nor prediction. A reader who began so goes on so, whatever is
    predicted meanwhile: every object comes once.

    Args:
        session: reads in its transaction.
        campaign: whose objects.
        after: score and id of the last object seen, the score None where it was listed
            without one; None begins at the top.
        limit: how many at most.
    """
    score, last = (None, 0) if after is None else after
    if score is not None:
        place = (score, last)
        return browsing.most_uncertain(session, campaign.id, after=place, limit=limit)
    if last == 0 and browsing.has_predictions(session, campaign.id):
        return browsing.most_uncertain(session, campaign.id, after=None, limit=limit)
    return browsing.unscored(session, campaign.id, after=last, limit=limit)


def pool_names(session: Session) -> dict[int, str]:
    """Pool id to name, of the pools that campaigns may use."""
    return {pool.id: pool.name for pool in list_visible(session)}


def show_object(session: Session, object_id: str, *, pool: str | None) -> ObjectHistory:
    """One object with its predictions and its history in every campaign.

    Raises:
        NotFound: no visible pool has it.
        AmbiguousObject: several have it and none was named.
    """
    sky_object, pool_name = find_object(session, object_id, pool=pool)
    return ObjectHistory(
        pool_name, sky_object, tuple(_candidacies(session, sky_object))
    )


def find_object(
    session: Session, object_id: str, *, pool: str | None
) -> tuple[SkyObject, str]:
    """One object, and the name of its pool.

    Raises:
        NotFound: no visible pool has it.
        AmbiguousObject: several have it and none was named.
    """
    found = browsing.find_objects(session, object_id, pool)
    if not found:
        raise NotFound("object", object_id)
    if len(found) > 1:
        raise AmbiguousObject(object_id, [name for _, name in found])
    return found[0]


def _candidacies(session: Session, sky_object: SkyObject) -> list[Candidacy]:
    predictions = browsing.predictions_of(session, sky_object.id)
    places = browsing.places_of(session, sky_object.id)
    rows = browsing.candidacies(session, sky_object.id)
    result = []
    for campaign, slots in groupby(rows, key=lambda row: row[0]):
        candidates = [candidate for _, candidate in slots]
        first = candidates[0]
        prediction: Prediction | None = predictions.get(campaign.id)
        rank, reason = places.get(campaign.id, (None, None))
        result.append(
            Candidacy(
                campaign=campaign.name,
                state=first.state,
                rank=rank,
                reason=reason,
                score=prediction.score if prediction else None,
                run_id=prediction.run_id if prediction else None,
                prediction=prediction.targets if prediction else None,
                handed_out=_hand_outs(session, [one.id for one in candidates]),
                labels=_labels(session, campaign, sky_object),
            )
        )
    return result


def _hand_outs(session: Session, candidate_ids: list[int]) -> tuple[HandOut, ...]:
    return tuple(
        HandOut(
            batch_id=lease.id,
            labeler=lease.labeler,
            opened_at=lease.opened_at,
            rank=item.rank,
            score=item.score,
            reason=item.reason,
        )
        for item, lease in browsing.hand_outs(session, candidate_ids)
    )


def _labels(
    session: Session, campaign: Campaign, sky_object: SkyObject
) -> tuple[StoredLabel, ...]:
    found = labels_of_objects(session, campaign.id, [sky_object.id])
    return tuple(found.get(sky_object.id, ()))
