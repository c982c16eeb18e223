"""What every request of one application shares."""

from dataclasses import dataclass, field

from fastapi import Request
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from al_service.api.metrics import Metrics
from al_service.api.tables import Exports
from al_service.rounds.doorbell import Doorbell
from al_service.settings import Settings


@dataclass(frozen=True)
class Service:
    """Built once by `create_app`, found by every request."""

    settings: Settings
    engine: Engine
    sessions: sessionmaker[Session]
    doorbell: Doorbell
    metrics: Metrics
    exports: Exports = field(default_factory=Exports)


def service_of(request: Request) -> Service:
    """The service that this request came to."""
    service = request.app.state.service
    if not isinstance(service, Service):
        raise TypeError(f"expected a Service, found {type(service)}")
    return service
