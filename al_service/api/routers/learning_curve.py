"""The learning curve: as numbers and as pictures."""

from fastapi import APIRouter, Response

from al_service.api.address import PREFIX
from al_service.api.dependencies import CampaignRef
from al_service.api.problems import problem_responses
from al_service.api.schemas.curves import (
    CoverageBin,
    CurvePoint,
    LearningCurve,
    PopulationError,
    Saving,
)
from al_service.api.visits import Visitor, VisitorDep
from al_service.evaluation.curve_picture import PictureKind
from al_service.rounds import comparing, population, progress
from al_service.rounds.curve_drawing import draw_learning_curve
from db.vocabulary import Role

router = APIRouter(prefix=PREFIX, tags=["learning curve"])

PATH = "/campaigns/{campaign}/learning-curve"
REFUSALS = problem_responses(401, 403, 404, 422)


@router.get(PATH, responses=REFUSALS)
def show(campaign: CampaignRef, visitor: VisitorDep) -> LearningCurve:
    """Points by run, arm, target and metric, and what was saved against random."""
    with visitor.enter(Role.VIEWER) as visit:
        found = visit.campaign(campaign)
        curve = progress.learning_curve(visit.session, found)
        errors = population.population_errors(visit.session, found)
    savings = comparing.savings(curve.points, curve.intervals)
    return LearningCurve(
        campaign=found.name,
        points=[CurvePoint.model_validate(point) for point in curve.points],
        n_evaluation=curve.n_evaluation,
        against_random={
            target: None if saving is None else Saving.model_validate(saving)
            for target, saving in savings.items()
        },
        population={
            target: None if error is None else PopulationError.model_validate(error)
            for target, error in errors.items()
        },
        coverage=[CoverageBin.model_validate(one) for one in curve.coverage],
        warnings=list(curve.notes),
    )


def _picture_of(media_type: str) -> dict[int | str, dict[str, object]]:
    content = {media_type: {"schema": {"type": "string", "format": "binary"}}}
    return {200: {"content": content, "description": "The picture"}, **REFUSALS}


@router.get(f"{PATH}.png", response_class=Response, responses=_picture_of("image/png"))
def draw_png(campaign: CampaignRef, visitor: VisitorDep) -> Response:
    """The learning curve as a picture."""
    return Response(_draw(campaign, visitor, PictureKind.PNG), media_type="image/png")


@router.get(
    f"{PATH}.svg", response_class=Response, responses=_picture_of("image/svg+xml")
)
def draw_svg(campaign: CampaignRef, visitor: VisitorDep) -> Response:
    """The learning curve as a drawing that scales."""
    picture = _draw(campaign, visitor, PictureKind.SVG)
    return Response(picture, media_type="image/svg+xml")


def _draw(campaign: str, visitor: Visitor, kind: PictureKind) -> bytes:
    with visitor.enter(Role.VIEWER) as visit:
        found = visit.campaign(campaign)
        curve = progress.learning_curve(visit.session, found)
    return draw_learning_curve(found, curve, kind=kind)
