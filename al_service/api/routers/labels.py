"""Telling: labels are taken and listed."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Query, Request, Response
from fastapi.responses import StreamingResponse

from al_service.api.address import PREFIX
from al_service.api.dependencies import (
    DEFAULT_LIMIT,
    CampaignRef,
    Cursor,
    Limit,
)
from al_service.api.once import OnceDep
from al_service.api.paging import cut, id_after
from al_service.api.problems import problem_responses
from al_service.api.schemas.fields import Page
from al_service.api.schemas.labels import Label, NewLabel, NewLabels, StoredLabels
from al_service.api.tables import TableResponse, origin_of, table_responses
from al_service.api.visits import VisitorDep
from al_service.exports.formats import TableFormat
from al_service.rounds import exporting, labeling
from db.vocabulary import Role

router = APIRouter(prefix=PREFIX, tags=["labels"])


@router.post(
    "/campaigns/{campaign}/labels",
    status_code=HTTPStatus.CREATED,
    response_model=StoredLabels,
    responses=problem_responses(401, 403, 404, 409, 413, 422, 503),
)
def tell(
    campaign: CampaignRef,
    body: NewLabels,
    visitor: VisitorDep,
    once: OnceDep,
    background: BackgroundTasks,
) -> Response:
    """Store labels, all or none of them; every bad one is named."""
    with visitor.enter(Role.LABELER) as visit:
        found = visit.campaign(campaign)

        def store() -> StoredLabels:
            stored = labeling.tell(
                visit.session,
                found,
                labeler=visit.caller.name,
                batch_id=body.batch_id,
                labels=[_plain(label) for label in body.labels],
            )
            return StoredLabels(
                labels=[Label.model_validate(one) for one in stored],
                flagged=[
                    one.object_id
                    for one in stored
                    if one.check is not None and one.check.disagrees
                ],
            )

        answered = once.answer(visit, StoredLabels, body, store, campaign_id=found.id)
    if not answered.replayed:
        visitor.service.metrics.told(found.name, len(answered.content.labels))
    # Also for a replayed answer: its first ring may be what was lost.
    background.add_task(visitor.service.doorbell.plan, found.id)
    return answered.response()


@router.get(
    "/campaigns/{campaign}/labels", responses=problem_responses(401, 403, 404, 422)
)
def list_labels(
    campaign: CampaignRef,
    visitor: VisitorDep,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    flagged: Annotated[
        bool,
        Query(description="Only labels to look at again, that nobody has corrected."),
    ] = False,
) -> Page[Label]:
    """Every label ever told, corrections included, oldest first."""
    with visitor.enter(Role.VIEWER) as visit:
        found = labeling.list_labels(
            visit.session,
            visit.campaign(campaign),
            id_after(cursor),
            limit + 1,
            flagged=flagged,
        )
    rows, next_cursor = cut(found, limit, lambda label: (label.id,))
    items = [Label.model_validate(label) for label in rows]
    return Page(items=items, next_cursor=next_cursor)


@router.get(
    "/campaigns/{campaign}/labels/export",
    response_class=StreamingResponse,
    responses={
        **table_responses(*TableFormat),
        **problem_responses(401, 403, 404, 422, 503),
    },
)
def export(
    campaign: CampaignRef,
    visitor: VisitorDep,
    request: Request,
    kind: Annotated[
        TableFormat, Query(alias="format", description="Of the file.")
    ] = TableFormat.CSV,
    current: Annotated[
        bool, Query(description="Only labels that nobody has corrected.")
    ] = False,
) -> TableResponse:
    """Every label ever told as one file, all of one moment, oldest first."""
    with visitor.enter(Role.VIEWER) as visit:
        found = visit.campaign(campaign)
    parts = exporting.export_labels(
        visitor.service.sessions, found.id, kind, origin_of(request), current=current
    )
    sent = visitor.service.exports.open(parts)
    return TableResponse(sent, kind=kind, name=f"{found.name}-labels")


def _plain(label: NewLabel) -> labeling.NewLabel:
    return labeling.NewLabel(
        object_id=label.object_id,
        values=label.values,
        errors=label.errors or {},
        quality=label.quality,
        note=label.note,
        source=label.source,
        supersedes=label.supersedes,
    )
