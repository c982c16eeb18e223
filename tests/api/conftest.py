"""A service on a real database and a real broker, with a small pool."""

import itertools
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from al_service.api.app import create_app
from al_service.api.service import Service
from al_service.local.valkey import EmbeddedValkey
from al_service.rounds.tokens import create_token
from al_service.settings import Settings
from db.repositories import pools
from db.repositories.pools import NewObject
from db.session import create_database_engine, create_sessions
from db.vocabulary import Role, Split
from tests.api.serving import served
from tests.conftest import Database, PostgresForTests

API = "/api/v1"
POOL = "little"
N_OBJECTS = 60
N_POOL = N_OBJECTS * 4 // 5
BODY_LIMIT = 64 * 1024

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Door:
    """The service and the ways in."""

    app: FastAPI
    url: str
    http: httpx.Client
    """Without a token."""
    viewer: httpx.Client
    labeler: httpx.Client
    admin: httpx.Client
    secrets: dict[Role, str]

    @property
    def service(self) -> Service:
        service = self.app.state.service
        assert isinstance(service, Service)
        return service

    def open_campaign(self, **options: object) -> str:
        """A new campaign that predicts redshifts; its name."""
        name = f"campaign-{next(_numbers)}"
        new = {"name": name, "pool": POOL, "random_share": 0.0, **options}
        answer = self.admin.post(f"{API}/campaigns", json=new)
        assert answer.status_code == 201, answer.text
        return name


def object_id(number: int) -> str:
    """An id with the letters that make trouble in addresses."""
    return f"SDSS J0828{number:02d}.80+361148.9"


def fill_pool(database: Database, name: str = POOL, *, size: int = N_OBJECTS) -> None:
    """A pool with known redshifts; every fifth object examines."""
    with database.sessions.begin() as session:
        pool_id = pools.start_import(
            session,
            name,
            seed=0,
            arrays=f"pools/{name}",
            modalities=["photometry"],
            known_targets=["z"],
        )
        assert pool_id is not None
        objects = [
            NewObject(
                object_id=object_id(number),
                group_id=f"galaxy {number}",
                ra=number * 0.1,
                dec=36.0,
                row=number,
                has_photometry=True,
                has_image=False,
                has_spectrum=False,
                split=Split.EVALUATION if number % 5 == 0 else Split.POOL,
            )
            for number in range(size)
        ]
        count = pools.copy_objects(session, pool_id, objects)
        pools.publish(session, pool_id, manifest_digest="0" * 64, n_objects=count)


def make_tokens(database: Database) -> dict[Role, str]:
    with database.sessions.begin() as session:
        return {role: create_token(session, role.value, role)[1] for role in Role}


@dataclass(frozen=True)
class Sky:
    """A database with a pool, and a broker: what a service needs."""

    database: Database
    settings: Settings
    secrets: dict[Role, str]


@pytest.fixture(scope="module")
def sky(
    postgres: PostgresForTests,
    valkey: EmbeddedValkey,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Sky]:
    """One for all tests of a module: each opens campaigns of its own."""
    name = f"door_{next(_numbers)}"
    postgres.copy(name)
    engine = create_database_engine(postgres.url_of(name), pool_size=5)
    database = Database(postgres.url_of(name), engine, create_sessions(engine))
    fill_pool(database)
    settings = settings_of(database, valkey.url, tmp_path_factory.mktemp("home"))
    yield Sky(database, settings, make_tokens(database))
    engine.dispose()
    postgres.drop(name)


@pytest.fixture(scope="module")
def door(sky: Sky) -> Iterator[Door]:
    with open_door(sky) as opened:
        yield opened


@pytest.fixture
def campaign(door: Door) -> str:
    """A campaign of the test's own."""
    return door.open_campaign()


def settings_of(database: Database, broker_url: str, home: Path) -> Settings:
    return Settings(
        home=home,
        database_url=database.url,
        broker_url=broker_url,
        body_limit=BODY_LIMIT,
    )


@contextmanager
def open_door(sky: Sky) -> Iterator[Door]:
    app = create_app(sky.settings)
    with served(app) as url, ExitStack() as clients:

        def client(role: Role | None) -> httpx.Client:
            headers = {"Authorization": f"Bearer {sky.secrets[role]}"} if role else {}
            http = httpx.Client(
                base_url=url, headers=headers, trust_env=False, timeout=60
            )
            return clients.enter_context(http)

        yield Door(
            app=app,
            url=url,
            http=client(None),
            viewer=client(Role.VIEWER),
            labeler=client(Role.LABELER),
            admin=client(Role.ADMIN),
            secrets=sky.secrets,
        )
