"""Campaigns: opened, listed, shown and changed."""

from http import HTTPStatus

from fastapi import APIRouter, BackgroundTasks, Response

from al_service.api.address import PREFIX
from al_service.api.dependencies import (
    DEFAULT_LIMIT,
    AddressedCampaign,
    Admin,
    Cursor,
    Limit,
    ServiceDep,
    Transaction,
    Viewer,
)
from al_service.api.paging import cut, id_after
from al_service.api.problems import problem_responses
from al_service.api.schemas.campaigns import (
    Campaign,
    CampaignChange,
    CampaignStatus,
    NewCampaign,
)
from al_service.api.schemas.fields import Page
from al_service.api.writing import campaign_answer, status_answer
from al_service.rounds import browsing, campaigns

router = APIRouter(prefix=PREFIX, tags=["campaigns"])


@router.post(
    "/campaigns",
    status_code=HTTPStatus.CREATED,
    responses=problem_responses(401, 403, 404, 409, 413, 422, 503),
)
def create(
    body: NewCampaign,
    session: Transaction,
    _: Admin,
    service: ServiceDep,
    background: BackgroundTasks,
    response: Response,
) -> CampaignStatus:
    """Open a campaign; it can be asked at once."""
    campaign = campaigns.create_campaign(session, body.as_rounds())
    answer = status_answer(session, campaign)
    for run in answer.live_runs:
        background.add_task(service.doorbell.run, run.id, run.kind)
    response.headers["Location"] = f"{PREFIX}/campaigns/{campaign.name}"
    return answer


@router.get("/campaigns", responses=problem_responses(401, 403, 422))
def list_campaigns(
    session: Transaction,
    _: Viewer,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[Campaign]:
    """Every campaign, oldest first."""
    found = campaigns.list_campaigns(session, id_after(cursor), limit + 1)
    rows, next_cursor = cut(found, limit, lambda campaign: (campaign.id,))
    pools = browsing.pool_names(session)
    items = [campaign_answer(campaign, pools[campaign.pool_id]) for campaign in rows]
    return Page(items=items, next_cursor=next_cursor)


@router.get("/campaigns/{campaign}", responses=problem_responses(401, 403, 404, 422))
def show(session: Transaction, campaign: AddressedCampaign) -> CampaignStatus:
    """A campaign with its counts, its serving run and its next retrain."""
    return status_answer(session, campaign)


@router.patch(
    "/campaigns/{campaign}",
    responses=problem_responses(401, 403, 404, 409, 413, 422),
)
def change(
    body: CampaignChange,
    session: Transaction,
    campaign: AddressedCampaign,
    _: Admin,
    service: ServiceDep,
    background: BackgroundTasks,
) -> CampaignStatus:
    """Pause it, end it, change its policy."""
    changed = campaigns.change_campaign(session, campaign.id, body.as_rounds())
    background.add_task(service.doorbell.plan, campaign.id)
    return status_answer(session, changed)
