"""Whether the service is alive and ready."""

from al_service.api.schemas.fields import Output


class Health(Output):
    """The process answers."""

    status: str


class Check(Output):
    """One thing that the service needs."""

    name: str
    ok: bool
    detail: str


class Readiness(Output):
    """Everything that the service needs, each with its own line."""

    ready: bool
    checks: list[Check]


class Version(Output):
    """What runs here."""

    version: str
    python: str
