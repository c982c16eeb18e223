"""Runs: the work in the background, started, watched and stopped."""

from http import HTTPStatus

from fastapi import APIRouter, BackgroundTasks, Response

from al_service.api.address import PREFIX
from al_service.api.dependencies import (
    DEFAULT_LIMIT,
    CampaignRef,
    Cursor,
    Id,
    Limit,
)
from al_service.api.paging import cut, id_after
from al_service.api.problems import RefusedWith, problem_responses
from al_service.api.schemas.fields import Page
from al_service.api.schemas.runs import NewRun, Run
from al_service.api.visits import Visit, Visitor, VisitorDep
from al_service.api.writing import run_answer
from al_service.errors import RunInProgress
from al_service.rounds import claiming, planning, progress
from db.vocabulary import Role

router = APIRouter(prefix=PREFIX, tags=["runs"])


@router.get(
    "/campaigns/{campaign}/runs", responses=problem_responses(401, 403, 404, 422)
)
def list_runs(
    campaign: CampaignRef,
    visitor: VisitorDep,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[Run]:
    """The campaign's runs, newest first."""
    with visitor.enter(Role.VIEWER) as visit:
        of = visit.campaign(campaign)
        found = progress.list_runs(
            visit.session,
            of,
            after=id_after(cursor) or None,
            limit=limit + 1,
            stale_after=visitor.service.settings.stale_after,
        )
    rows, next_cursor = cut(found, limit, lambda run: (run.id,))
    items = [run_answer(run, of.name) for run in rows]
    return Page(items=items, next_cursor=next_cursor)


@router.post(
    "/campaigns/{campaign}/runs",
    status_code=HTTPStatus.ACCEPTED,
    responses=problem_responses(401, 403, 404, 409, 413, 422),
)
def start_run(
    campaign: CampaignRef,
    body: NewRun,
    visitor: VisitorDep,
    background: BackgroundTasks,
    response: Response,
) -> Run:
    """Start work now; 409 carries the run that is at it already."""
    with visitor.enter(Role.ADMIN) as visit:
        of = visit.campaign(campaign)
        try:
            run_id = planning.plan(visit.session, of, body.kind)
        except RunInProgress as error:
            live = _shown(visitor, visit, error.run_id)
            raise RefusedWith(error, run=live.model_dump(mode="json")) from error
        answer = _shown(visitor, visit, run_id)
    background.add_task(visitor.service.doorbell.run, run_id, body.kind)
    response.headers["Location"] = f"{PREFIX}/runs/{run_id}"
    return answer


@router.get("/runs/{run_id}", responses=problem_responses(401, 403, 404, 422))
def show_run(run_id: Id, visitor: VisitorDep) -> Run:
    """A run with its progress and the time to go."""
    with visitor.enter(Role.VIEWER) as visit:
        return _shown(visitor, visit, run_id)


@router.delete("/runs/{run_id}", responses=problem_responses(401, 403, 404, 409, 422))
def cancel_run(run_id: Id, visitor: VisitorDep) -> Run:
    """Stop a run; what serves goes on serving."""
    with visitor.enter(Role.ADMIN) as visit:
        claiming.cancel(visit.session, run_id)
        return _shown(visitor, visit, run_id)


def _shown(visitor: Visitor, visit: Visit, run_id: int) -> Run:
    stale_after = visitor.service.settings.stale_after
    run = progress.show_run(visit.session, run_id, stale_after=stale_after)
    return run_answer(run, progress.campaign_of(visit.session, run).name)
