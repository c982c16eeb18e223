"""Alive, ready, how is it doing? Asked by machines, without a token."""

import platform
from http import HTTPStatus
from importlib.metadata import version

from fastapi import APIRouter, Response
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from al_service.api.dependencies import ServiceDep
from al_service.api.readiness import checks_of
from al_service.api.schemas.operations import Health, Readiness, Version

router = APIRouter(tags=["operations"])


@router.get("/healthz")
async def healthz() -> Health:
    """The process is alive: nothing else is asked, not even for a free thread."""
    return Health(status="ok")


@router.get(
    "/readyz",
    responses={503: {"model": Readiness, "description": "Something is missing"}},
)
def readyz(service: ServiceDep, response: Response) -> Readiness:
    """Whether a campaign would move: database, migrations, broker and workers."""
    checks = checks_of(service)
    ready = all(check.ok for check in checks)
    if not ready:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return Readiness(ready=ready, checks=checks)


@router.get("/version")
def show_version() -> Version:
    """What runs here."""
    return Version(version=version("al-service"), python=platform.python_version())


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def metrics(service: ServiceDep) -> Response:
    """Prometheus series of this process, and of the loop as the database has it."""
    return Response(
        generate_latest(service.metrics.registry), media_type=CONTENT_TYPE_LATEST
    )
