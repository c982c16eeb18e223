"""The application: every router, every error, every metric in one place."""

import gc
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import version

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI
from fastapi.responses import RedirectResponse

from al_service.api import documentation, refusals
from al_service.api.body_limit import BodyLimit
from al_service.api.heads import Heads
from al_service.api.last_resort import LastResort
from al_service.api.metrics import LoopCollector, Measured, Metrics
from al_service.api.openapi import describe
from al_service.api.routers import (
    batches,
    campaigns,
    labels,
    learning_curve,
    measurements,
    objects,
    operations,
    runs,
)
from al_service.api.service import Service
from al_service.api.tables import MOST_EXPORTS
from al_service.errors import StackProblem
from al_service.rounds.doorbell import Doorbell
from al_service.rounds.monitoring import Snapshot, take_snapshot
from al_service.settings import Settings
from db.session import create_database_engine, create_sessions

NOUNS = (campaigns, batches, labels, learning_curve, runs, objects, measurements)

THREADS = 6
"""Requests of one process that are served at once, each in a thread with at most one
connection of its own: a thread never waits for what another waiting thread holds. More
of them would only fight for Python's lock."""

SWITCH_SECONDS = 0.0005
"""How long a thread keeps Python's lock while others want it. With the default of 5 ms
an ask, which waits for the database a dozen times, waits as often for a neighbor:
sixteen clients got 64 answers a second, and 112 with this (measured)."""

CONNECTIONS = THREADS + 2 + MOST_EXPORTS
"""Kept open by one process: `/metrics` may count while its request holds one, a
client that went away leaves its request running, and an export holds one between two
parts, when it needs no thread. A burst may open as many again; PostgreSQL takes 100 by
default."""


def create_app(settings: Settings | None = None) -> FastAPI:
    """The HTTP door, ready to be served; nothing is connected before the first request.

    Args:
        settings: what the environment says, without it.

    Raises:
        StackProblem: there is no database to work with.
    """
    service = _service(settings if settings is not None else Settings())
    app = FastAPI(
        title="al-service",
        version=version("al-service"),
        summary="Ask, label, retrain, watch the curve.",
        lifespan=_lifespan(service),
        docs_url=None,  # documentation.install
        redoc_url=None,
    )
    app.state.service = service
    app.include_router(operations.router)
    for noun in NOUNS:
        app.include_router(noun.router)
    app.add_api_route("/", _front_door, include_in_schema=False)
    documentation.install(app)
    refusals.install(app)
    # Added last is outermost: refused bodies and failures are counted, too.
    app.add_middleware(Heads)
    app.add_middleware(LastResort)
    app.add_middleware(BodyLimit, limit=service.settings.body_limit)
    app.add_middleware(Measured, metrics=service.metrics)
    describe(app)
    return app


def _service(settings: Settings) -> Service:
    if settings.database_url is None:
        raise StackProblem(
            "AL_DATABASE_URL is not set: `al up` and `al api` set it, or point it to"
            " your PostgreSQL"
        )
    engine = create_database_engine(settings.database_url, pool_size=CONNECTIONS)
    sessions = create_sessions(engine)
    metrics = Metrics()

    def read() -> Snapshot:
        with sessions() as session:
            return take_snapshot(session)

    metrics.registry.register(LoopCollector(read))
    return Service(
        settings=settings,
        engine=engine,
        sessions=sessions,
        doorbell=Doorbell(settings.broker_url),
        metrics=metrics,
    )


def _lifespan(
    service: Service,
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        current_default_thread_limiter().total_tokens = THREADS
        sys.setswitchinterval(SWITCH_SECONDS)
        gc.collect()
        gc.freeze()  # modules live for ever: collections need not look at them again
        yield
        service.doorbell.close()
        service.engine.dispose()

    return lifespan


def _front_door() -> RedirectResponse:
    """A person who opens the bare address finds the description of the API."""
    return RedirectResponse("/docs")
