"""Objects: browse by score, look at one."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from al_service.api.address import PREFIX
from al_service.api.dependencies import (
    DEFAULT_LIMIT,
    CampaignRef,
    Cursor,
    Limit,
)
from al_service.api.paging import Place, cut, score_after
from al_service.api.problems import problem_responses
from al_service.api.schemas.fields import Name, Page
from al_service.api.schemas.objects import ScoredObject, SkyObject
from al_service.api.visits import VisitorDep
from al_service.api.writing import object_answer
from al_service.rounds import browsing
from db.vocabulary import Role

router = APIRouter(prefix=PREFIX, tags=["objects"])


@router.get(
    "/campaigns/{campaign}/objects", responses=problem_responses(401, 403, 404, 422)
)
def browse(
    campaign: CampaignRef,
    visitor: VisitorDep,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[ScoredObject]:
    """The objects that the served run knows least about, highest score first.

    Before a run has predicted anything, the pool's objects without scores.
    """
    with visitor.enter(Role.VIEWER) as visit:
        found = browsing.browse(
            visit.session,
            visit.campaign(campaign),
            after=score_after(cursor),
            limit=limit + 1,
        )
    rows, next_cursor = cut(found, limit, lambda one: _place(one.score, one.id))
    items = [ScoredObject.model_validate(one) for one in rows]
    return Page(items=items, next_cursor=next_cursor)


@router.get(
    "/objects/{object_id}", responses=problem_responses(401, 403, 404, 409, 422)
)
def show(
    object_id: Annotated[Name, Path(examples=["SDSS J131518.58+445511.9"])],
    visitor: VisitorDep,
    pool: Annotated[
        Name | None, Query(description="Needed where several pools have the id.")
    ] = None,
) -> SkyObject:
    """One object with its predictions and history in every campaign."""
    with visitor.enter(Role.VIEWER) as visit:
        return object_answer(browsing.show_object(visit.session, object_id, pool=pool))


def _place(score: float | None, number: int) -> Place:
    """What the list is ordered by: objects without scores by their ids alone."""
    return (number,) if score is None else (score, number)
