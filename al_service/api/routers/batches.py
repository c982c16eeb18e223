"""Asking: batches are handed out, shown, extended and given back."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from al_service.api.address import PREFIX
from al_service.api.dependencies import CampaignRef, Id
from al_service.api.once import OnceDep
from al_service.api.problems import problem_responses
from al_service.api.schemas.batches import Batch, NewBatch, Renewal
from al_service.api.tables import TableResponse, origin_of, table_responses
from al_service.api.visits import Visit, VisitorDep
from al_service.api.writing import batch_answer
from al_service.exports.formats import TableFormat, TargetListFormat
from al_service.rounds import exporting, leasing
from db.vocabulary import Role

router = APIRouter(prefix=PREFIX, tags=["batches"])


@router.post(
    "/campaigns/{campaign}/batches",
    status_code=HTTPStatus.CREATED,
    response_model=Batch,
    responses=problem_responses(401, 403, 404, 409, 413, 422, 503),
)
def ask(
    campaign: CampaignRef, body: NewBatch, visitor: VisitorDep, once: OnceDep
) -> Response:
    """The next objects to label, reserved for the holder of this token."""
    with visitor.enter(Role.LABELER) as visit:
        found = visit.brief_campaign(campaign)

        def hand_out() -> Batch:
            batch = leasing.ask(
                visit.session,
                found,
                labeler=visit.caller.name,
                size=body.size,
                lease_seconds=body.lease_seconds,
            )
            return batch_answer(batch)

        answered = once.answer(visit, Batch, body, hand_out, campaign_id=found.id)
    answer = answered.content
    if not answered.replayed:
        reasons = [item.reason for item in answer.items]
        visitor.service.metrics.asked(answer.campaign, reasons)
    return answered.response(location=f"{PREFIX}/batches/{answer.id}")


@router.get("/batches/{batch_id}", responses=problem_responses(401, 403, 404, 422))
def show(batch_id: Id, visitor: VisitorDep) -> Batch:
    """A batch as it stands."""
    with visitor.enter(Role.VIEWER) as visit:
        return batch_answer(leasing.show(visit.session, batch_id))


@router.get(
    "/batches/{batch_id}/export",
    response_class=StreamingResponse,
    responses={
        **table_responses(*map(TableFormat, TargetListFormat)),
        **problem_responses(401, 403, 404, 422, 503),
    },
)
def export(
    batch_id: Id,
    visitor: VisitorDep,
    request: Request,
    kind: Annotated[
        TargetListFormat, Query(alias="format", description="Of the file.")
    ] = TargetListFormat.VOTABLE,
) -> TableResponse:
    """The batch as a target list: units, UCDs, finding charts, provenance."""
    with visitor.enter(Role.VIEWER) as visit:
        parts = exporting.export_batch(
            visit.session, batch_id, kind, origin_of(request)
        )
    return TableResponse(parts, kind=TableFormat(kind), name=f"batch-{batch_id}")


@router.post(
    "/batches/{batch_id}/renew",
    responses=problem_responses(401, 403, 404, 409, 413, 422),
)
def renew(batch_id: Id, visitor: VisitorDep, body: Renewal | None = None) -> Batch:
    """Keep the objects reserved for longer, from now on."""
    with visitor.enter(Role.LABELER) as visit:
        _check_holder(visit, batch_id)
        seconds = None if body is None else body.lease_seconds
        leasing.renew(visit.session, batch_id, lease_seconds=seconds)
        return batch_answer(leasing.show(visit.session, batch_id))


@router.delete(
    "/batches/{batch_id}", responses=problem_responses(401, 403, 404, 409, 422)
)
def release(batch_id: Id, visitor: VisitorDep) -> Batch:
    """Give the batch back: its unlabeled objects are free again."""
    with visitor.enter(Role.LABELER) as visit:
        _check_holder(visit, batch_id)
        leasing.release(visit.session, batch_id)
        return batch_answer(leasing.show(visit.session, batch_id))


def _check_holder(visit: Visit, batch_id: int) -> None:
    if visit.caller.role is not Role.ADMIN:
        leasing.check_holder(visit.session, batch_id, visit.caller.name)
