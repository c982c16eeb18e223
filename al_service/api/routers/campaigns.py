"""Campaigns: opened, listed, shown and changed."""

from http import HTTPStatus

from fastapi import APIRouter, BackgroundTasks, Response

from al_service.api.address import PREFIX
from al_service.api.dependencies import (
    DEFAULT_LIMIT,
    CampaignRef,
    Cursor,
    Limit,
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
from al_service.api.visits import Visit, Visitor, VisitorDep
from al_service.api.writing import campaign_answer, status_answer
from al_service.rounds import browsing, campaigns
from db.tables import Campaign as CampaignRow
from db.vocabulary import Role

router = APIRouter(prefix=PREFIX, tags=["campaigns"])


@router.post(
    "/campaigns",
    status_code=HTTPStatus.CREATED,
    responses=problem_responses(401, 403, 404, 409, 413, 422, 503),
)
def create(
    body: NewCampaign,
    visitor: VisitorDep,
    background: BackgroundTasks,
    response: Response,
) -> CampaignStatus:
    """Open a campaign; it can be asked at once."""
    with visitor.enter(Role.ADMIN) as visit:
        campaign = campaigns.create_campaign(visit.session, body.as_rounds())
        answer = _status(visitor, visit, campaign)
    for run in answer.live_runs:
        background.add_task(visitor.service.doorbell.run, run.id, run.kind)
    response.headers["Location"] = f"{PREFIX}/campaigns/{answer.name}"
    return answer


@router.get("/campaigns", responses=problem_responses(401, 403, 422))
def list_campaigns(
    visitor: VisitorDep, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[Campaign]:
    """Every campaign, oldest first."""
    with visitor.enter(Role.VIEWER) as visit:
        found = campaigns.list_campaigns(visit.session, id_after(cursor), limit + 1)
        pools = browsing.pool_names(visit.session)
    rows, next_cursor = cut(found, limit, lambda campaign: (campaign.id,))
    items = [campaign_answer(campaign, pools[campaign.pool_id]) for campaign in rows]
    return Page(items=items, next_cursor=next_cursor)


@router.get("/campaigns/{campaign}", responses=problem_responses(401, 403, 404, 422))
def show(campaign: CampaignRef, visitor: VisitorDep) -> CampaignStatus:
    """A campaign with its counts, its serving run and its next retrain."""
    with visitor.enter(Role.VIEWER) as visit:
        return _status(visitor, visit, visit.campaign(campaign))


@router.patch(
    "/campaigns/{campaign}",
    responses=problem_responses(401, 403, 404, 409, 413, 422),
)
def change(
    campaign: CampaignRef,
    body: CampaignChange,
    visitor: VisitorDep,
    background: BackgroundTasks,
) -> CampaignStatus:
    """Pause it, end it, change its policy."""
    with visitor.enter(Role.ADMIN) as visit:
        found = visit.campaign(campaign)
        changed = campaigns.change_campaign(visit.session, found.id, body.as_rounds())
        answer = _status(visitor, visit, changed)
    background.add_task(visitor.service.doorbell.plan, answer.id)
    return answer


def _status(visitor: Visitor, visit: Visit, campaign: CampaignRow) -> CampaignStatus:
    stale_after = visitor.service.settings.stale_after
    return status_answer(visit.session, campaign, stale_after=stale_after)
