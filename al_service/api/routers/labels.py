"""Telling: labels are taken and listed."""

from http import HTTPStatus

from fastapi import APIRouter, BackgroundTasks

from al_service.api.address import PREFIX
from al_service.api.dependencies import (
    DEFAULT_LIMIT,
    AddressedCampaign,
    Cursor,
    Labeler,
    Limit,
    ServiceDep,
    Transaction,
)
from al_service.api.once import OnceDep
from al_service.api.paging import cut, id_after
from al_service.api.problems import problem_responses
from al_service.api.schemas.fields import Page
from al_service.api.schemas.labels import Label, NewLabels, StoredLabels
from al_service.rounds import labeling

router = APIRouter(prefix=PREFIX, tags=["labels"])


@router.post(
    "/campaigns/{campaign}/labels",
    status_code=HTTPStatus.CREATED,
    responses=problem_responses(401, 403, 404, 409, 413, 422, 503),
)
def tell(
    body: NewLabels,
    session: Transaction,
    campaign: AddressedCampaign,
    labeler: Labeler,
    once: OnceDep,
    service: ServiceDep,
    background: BackgroundTasks,
) -> StoredLabels:
    """Store labels, all or none of them; every bad one is named."""

    def store() -> StoredLabels:
        stored = labeling.tell(
            session,
            campaign,
            labeler=labeler.name,
            batch_id=body.batch_id,
            labels=[
                labeling.NewLabel(
                    object_id=label.object_id,
                    values=label.values,
                    errors=label.errors or {},
                    quality=label.quality,
                    note=label.note,
                    source=label.source,
                    supersedes=label.supersedes,
                )
                for label in body.labels
            ],
        )
        background.add_task(service.metrics.told, campaign.name, len(stored))
        return StoredLabels(labels=[Label.model_validate(one) for one in stored])

    answer = once.answer(StoredLabels, body, store)
    # Also for a replayed answer: its first ring may be what was lost.
    background.add_task(service.doorbell.plan, campaign.id)
    return answer


@router.get(
    "/campaigns/{campaign}/labels", responses=problem_responses(401, 403, 404, 422)
)
def list_labels(
    session: Transaction,
    campaign: AddressedCampaign,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[Label]:
    """Every label ever told, corrections included, oldest first."""
    found = labeling.list_labels(session, campaign, id_after(cursor), limit + 1)
    rows, next_cursor = cut(found, limit, lambda label: (label.id,))
    items = [Label.model_validate(label) for label in rows]
    return Page(items=items, next_cursor=next_cursor)
