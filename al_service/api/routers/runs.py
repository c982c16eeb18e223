"""Runs: the work in the background, started, watched and stopped."""

from http import HTTPStatus

from fastapi import APIRouter, BackgroundTasks, Response

from al_service.api.address import PREFIX
from al_service.api.dependencies import (
    DEFAULT_LIMIT,
    AddressedCampaign,
    Admin,
    Cursor,
    Id,
    Limit,
    ServiceDep,
    Transaction,
    Viewer,
)
from al_service.api.paging import cut, id_after
from al_service.api.problems import RefusedWith, problem_responses
from al_service.api.schemas.fields import Page
from al_service.api.schemas.runs import NewRun, Run
from al_service.api.writing import run_answer
from al_service.errors import RunInProgress
from al_service.rounds import claiming, planning, progress

router = APIRouter(prefix=PREFIX, tags=["runs"])


@router.get(
    "/campaigns/{campaign}/runs", responses=problem_responses(401, 403, 404, 422)
)
def list_runs(
    session: Transaction,
    campaign: AddressedCampaign,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[Run]:
    """The campaign's runs, newest first."""
    found = progress.list_runs(
        session, campaign, after=id_after(cursor) or None, limit=limit + 1
    )
    rows, next_cursor = cut(found, limit, lambda run: (run.id,))
    items = [run_answer(run, campaign.name) for run in rows]
    return Page(items=items, next_cursor=next_cursor)


@router.post(
    "/campaigns/{campaign}/runs",
    status_code=HTTPStatus.ACCEPTED,
    responses=problem_responses(401, 403, 404, 409, 413, 422),
)
def start_run(
    body: NewRun,
    session: Transaction,
    campaign: AddressedCampaign,
    _: Admin,
    service: ServiceDep,
    background: BackgroundTasks,
    response: Response,
) -> Run:
    """Start work now; 409 carries the run that is at it already."""
    try:
        run_id = planning.plan(session, campaign, body.kind)
    except RunInProgress as error:
        live = run_answer(progress.show_run(session, error.run_id), campaign.name)
        raise RefusedWith(error, run=live.model_dump(mode="json")) from error
    background.add_task(service.doorbell.run, run_id, body.kind)
    response.headers["Location"] = f"{PREFIX}/runs/{run_id}"
    return run_answer(progress.show_run(session, run_id), campaign.name)


@router.get("/runs/{run_id}", responses=problem_responses(401, 403, 404, 422))
def show_run(run_id: Id, session: Transaction, _: Viewer) -> Run:
    """A run with its progress and the time to go."""
    run = progress.show_run(session, run_id)
    return run_answer(run, progress.campaign_of(session, run).name)


@router.delete("/runs/{run_id}", responses=problem_responses(401, 403, 404, 409, 422))
def cancel_run(run_id: Id, session: Transaction, _: Admin) -> Run:
    """Stop a run; what serves goes on serving."""
    claiming.cancel(session, run_id)
    run = progress.show_run(session, run_id)
    return run_answer(run, progress.campaign_of(session, run).name)
