"""What was measured of an object, to look at: picture and spectrum."""

from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Any, Final

import numpy as np
from fastapi import APIRouter, Path, Query, Request, Response
from numpy.typing import NDArray

from al_service.api.address import PREFIX
from al_service.api.caching import cache_headers, tag_of, unchanged
from al_service.api.problems import problem_responses
from al_service.api.schemas.fields import Name
from al_service.api.schemas.spectra import MarkedLine, RedshiftCandidate, Spectrum
from al_service.api.visits import Visitor, VisitorDep
from al_service.features.scan.scanning import SCAN_VERSION
from al_service.rounds import inspecting
from al_service.rounds.inspecting import Measurement, ShownSpectrum
from al_service.survey.images.pictures import PICTURE_VERSION
from al_service.survey.inputs import Modality
from db.vocabulary import Role

router = APIRouter(prefix=f"{PREFIX}/objects/{{object_id}}", tags=["objects"])

SMALLEST, DEFAULT_SIZE, LARGEST = 16, 256, 1024
"""Pixels a side: four screen pixels for each of the camera's, unless told otherwise."""

DIGITS: Final = 6
"""Of fluxes: a hundred times finer than the best signal to noise."""

REFUSALS = problem_responses(401, 403, 404, 409, 422)
UNCHANGED: Final[dict[int | str, dict[str, Any]]] = {  # FastAPI's own type
    HTTPStatus.NOT_MODIFIED.value: {"description": "You have it already."}
}

ObjectId = Annotated[Name, Path(examples=["SDSS J131518.58+445511.9"])]
PoolName = Annotated[
    Name | None, Query(description="Needed where several pools have the id.")
]


class Band(StrEnum):
    """A band of the camera, in gray."""

    U = "u"
    G = "g"
    R = "r"
    I = "i"  # noqa: E741 -- its name
    Z = "z"


@router.get(
    "/image.png",
    response_class=Response,
    responses={
        200: {"content": {"image/png": {}}, "description": "The picture"},
        **UNCHANGED,
        **REFUSALS,
    },
)
def draw(
    object_id: ObjectId,
    visitor: VisitorDep,
    request: Request,
    band: Annotated[
        Band | None, Query(description="In gray; without it g, r and i in color.")
    ] = None,
    size: Annotated[
        int, Query(ge=SMALLEST, le=LARGEST, description="Pixels a side.")
    ] = DEFAULT_SIZE,
    pool: PoolName = None,
) -> Response:
    """An object's picture, north up and east left, 25 arcseconds a side."""
    image = _find(visitor, object_id, pool, Modality.IMAGE)
    tag = tag_of(image.pool_digest, image.row, band, size, PICTURE_VERSION)
    known = unchanged(request, tag)
    if known is not None:
        return known
    return Response(
        inspecting.draw_image(image, band=band and band.value, size=size),
        media_type="image/png",
        headers=cache_headers(tag),
    )


@router.get("/spectrum", response_model=Spectrum, responses={**UNCHANGED, **REFUSALS})
def show_spectrum(
    object_id: ObjectId,
    visitor: VisitorDep,
    request: Request,
    pool: PoolName = None,
) -> Response:
    """An object's spectrum, the scan's candidates, and the best one's model."""
    found = _find(visitor, object_id, pool, Modality.SPECTRUM)
    tag = tag_of(found.pool_digest, found.row, "spectrum", SCAN_VERSION)
    known = unchanged(request, tag)
    if known is not None:
        return known
    answer = _answer(found, inspecting.show_spectrum(found))
    return Response(
        answer.model_dump_json(by_alias=True),
        media_type="application/json",
        headers=cache_headers(tag),
    )


def _find(
    visitor: Visitor, object_id: str, pool: str | None, modality: Modality
) -> Measurement:
    """Where it lies; the transaction is over before anything is read."""
    with visitor.enter(Role.VIEWER) as visit:
        return inspecting.find_measurement(
            visit.session,
            object_id,
            pool=pool,
            modality=modality,
            artifacts=visitor.service.settings.artifacts_folder,
        )


def _answer(found: Measurement, shown: ShownSpectrum) -> Spectrum:
    return Spectrum(
        object_id=found.object_id,
        pool=found.pool,
        wavelength=np.round(shown.wavelength, 3).tolist(),
        flux=_numbers(shown.flux),
        error=_numbers(shown.error),
        mask=shown.mask.tolist(),
        model=None if shown.model is None else _rounded(shown.model).tolist(),
        candidates=[RedshiftCandidate.model_validate(one) for one in shown.candidates],
        lines=[MarkedLine.model_validate(one) for one in shown.lines],
        units=inspecting.UNITS,
    )


def _numbers(values: NDArray[np.float64]) -> list[float | None]:
    """Numbers as JSON has them: it knows no NaN."""
    finite = np.isfinite(values)
    listed = _rounded(np.where(finite, values, 0.0)).tolist()
    return [
        value if there else None
        for value, there in zip(listed, finite.tolist(), strict=True)
    ]


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same to `DIGITS` significant digits."""
    scale = 10.0 ** (DIGITS - 1 - np.floor(np.log10(np.maximum(np.abs(values), 1e-30))))
    return np.asarray(np.round(values * scale) / scale)
