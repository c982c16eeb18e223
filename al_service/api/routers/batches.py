"""Asking: batches are handed out, shown, extended and given back."""

from http import HTTPStatus

from fastapi import APIRouter, BackgroundTasks, Response

from al_service.api.address import PREFIX
from al_service.api.dependencies import (
    AddressedCampaign,
    Id,
    Labeler,
    ServiceDep,
    Transaction,
    Viewer,
)
from al_service.api.once import REPLAYED, OnceDep
from al_service.api.problems import problem_responses
from al_service.api.schemas.batches import Batch, NewBatch, Renewal
from al_service.api.writing import batch_answer
from al_service.errors import NotAllowed
from al_service.rounds import leasing
from db.tables import ApiToken
from db.vocabulary import Role

router = APIRouter(prefix=PREFIX, tags=["batches"])


@router.post(
    "/campaigns/{campaign}/batches",
    status_code=HTTPStatus.CREATED,
    responses=problem_responses(401, 403, 404, 409, 413, 422, 503),
)
def ask(
    body: NewBatch,
    session: Transaction,
    campaign: AddressedCampaign,
    labeler: Labeler,
    once: OnceDep,
    service: ServiceDep,
    background: BackgroundTasks,
    response: Response,
) -> Batch:
    """The next objects to label, reserved for the holder of this token."""

    def hand_out() -> Batch:
        batch = leasing.ask(
            session,
            campaign,
            labeler=labeler.name,
            size=body.size,
            lease_seconds=body.lease_seconds,
        )
        return batch_answer(batch)

    answer = once.answer(Batch, body, hand_out)
    response.headers["Location"] = f"{PREFIX}/batches/{answer.id}"
    if REPLAYED not in response.headers:
        reasons = [item.reason for item in answer.items]
        background.add_task(service.metrics.asked, campaign.name, reasons)
    return answer


@router.get("/batches/{batch_id}", responses=problem_responses(401, 403, 404, 422))
def show(batch_id: Id, session: Transaction, _: Viewer) -> Batch:
    """A batch as it stands."""
    return batch_answer(leasing.show(session, batch_id))


@router.post(
    "/batches/{batch_id}/renew",
    responses=problem_responses(401, 403, 404, 409, 413, 422),
)
def renew(
    batch_id: Id, session: Transaction, labeler: Labeler, body: Renewal | None = None
) -> Batch:
    """Keep the objects reserved for longer, from now on."""
    _check_owner(leasing.show(session, batch_id), labeler)
    seconds = None if body is None else body.lease_seconds
    leasing.renew(session, batch_id, lease_seconds=seconds)
    return batch_answer(leasing.show(session, batch_id))


@router.delete(
    "/batches/{batch_id}", responses=problem_responses(401, 403, 404, 409, 422)
)
def release(batch_id: Id, session: Transaction, labeler: Labeler) -> Batch:
    """Give the batch back: its unlabeled objects are free again."""
    _check_owner(leasing.show(session, batch_id), labeler)
    leasing.release(session, batch_id)
    return batch_answer(leasing.show(session, batch_id))


def _check_owner(batch: leasing.Batch, caller: ApiToken) -> None:
    if caller.role is not Role.ADMIN and caller.name != batch.labeler:
        raise NotAllowed(
            f"batch {batch.id} is reserved for {batch.labeler!r}: only they and admins"
            " may change it"
        )
