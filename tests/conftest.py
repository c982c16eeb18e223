"""Real servers for every test: one PostgreSQL and one Valkey per test process."""

import ctypes
import itertools
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import psycopg
import pytest
import redis
from psycopg import sql
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from al_service.local.home import Home, open_home
from al_service.local.postgres import EmbeddedPostgres
from al_service.local.processes import wait_until
from al_service.local.valkey import EmbeddedValkey
from db.migrations.upgrade import upgrade
from db.session import create_database_engine, create_sessions

START_SECONDS = 60.0
TEMPLATE = "migrated"
SHARED = "shared"

UNSAFE_AND_FAST = ("fsync = off", "synchronous_commit = off", "full_page_writes = off")
"""What a test has written need not survive a power cut."""

PR_SET_CHILD_SUBREAPER = 36
"""Of prctl(2)."""

# In a shell's background everybody ignores Ctrl-C, and so would what tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

_numbers = itertools.count()


@dataclass(frozen=True)
class Database:
    """A migrated database."""

    url: str
    engine: Engine
    sessions: sessionmaker[Session]


class PostgresForTests:
    """The server, and databases on it that are copies of a migrated one."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self._server = server

    def url_of(self, name: str) -> str:
        return self._server.url.replace("/al?", f"/{name}?")

    def run(self, statement: str, *names: str) -> None:
        url = self._server.url.replace("+psycopg", "")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def copy(self, name: str) -> None:
        self.run("CREATE DATABASE {} TEMPLATE {}", name, TEMPLATE)

    def drop(self, name: str) -> None:
        self.run("DROP DATABASE {} WITH (FORCE)", name)


@pytest.fixture(scope="session", autouse=True)
def nobody_is_left_behind() -> Iterator[None]:
    """What the tests have started has ended when they end, orphans included."""
    adopt_orphans()
    before = set(psutil.Process().children(recursive=True))
    yield
    left = [
        process
        for process in psutil.Process().children(recursive=True)
        if process not in before and is_ours(process)
    ]
    names = [shown(process) for process in left]
    for process in left:
        process.kill()
    assert not names, f"still running after the last test: {names}"


@pytest.fixture(scope="session")
def servers_home() -> Iterator[Home]:
    # Not among pytest's own folders: every pytest that starts closes those to other
    # accounts, and for root PostgreSQL runs under another account.
    with TemporaryDirectory(prefix="al-tests-") as folder:
        home = open_home(Path(folder) / "home")
        yield home
        home.drop_sockets()


@pytest.fixture(scope="session")
def postgres(servers_home: Home) -> Iterator[PostgresForTests]:
    server = EmbeddedPostgres(servers_home)
    # Killed outright, were we to die: what it holds is of no use to anybody.
    process = server.start(at_our_death=signal.SIGKILL)
    assert wait_until(server.ready, seconds=START_SECONDS)
    postgres = PostgresForTests(server)
    for setting in UNSAFE_AND_FAST:
        postgres.run(f"ALTER SYSTEM SET {setting}")
    postgres.run("SELECT pg_reload_conf()")
    postgres.run("CREATE DATABASE {}", TEMPLATE)
    upgrade(postgres.url_of(TEMPLATE))
    yield postgres
    end(process, signal.SIGINT)


@pytest.fixture
def database(postgres: PostgresForTests) -> Iterator[Database]:
    """A database of the test's own: it may commit and open many connections."""
    name = f"test_{next(_numbers)}"
    postgres.copy(name)
    engine = create_database_engine(postgres.url_of(name), pool_size=20)
    yield Database(postgres.url_of(name), engine, create_sessions(engine))
    engine.dispose()
    postgres.drop(name)


@pytest.fixture(scope="session")
def shared_engine(postgres: PostgresForTests) -> Iterator[Engine]:
    postgres.copy(SHARED)
    engine = create_database_engine(postgres.url_of(SHARED), pool_size=2)
    yield engine
    engine.dispose()


@pytest.fixture
def session(shared_engine: Engine) -> Iterator[Session]:
    """A session whose commits reach nobody: everything is rolled back at the end."""
    with shared_engine.connect() as connection:
        transaction = connection.begin()
        with Session(
            connection,
            join_transaction_mode="create_savepoint",
            expire_on_commit=False,
        ) as session:
            yield session
        transaction.rollback()


@pytest.fixture(scope="session")
def valkey(servers_home: Home) -> Iterator[EmbeddedValkey]:
    server = EmbeddedValkey(servers_home)
    process = server.start()
    assert wait_until(server.ready, seconds=START_SECONDS)
    yield server
    end(process, signal.SIGTERM)


@pytest.fixture
def broker_url(valkey: EmbeddedValkey) -> str:
    """Address of an empty broker."""
    address = valkey.url.replace("redis+socket", "unix").replace("virtual_host", "db")
    with redis.Redis.from_url(address) as client:
        client.flushall()
    return valkey.url


def adopt_orphans() -> None:
    """Let a process whose parent has died become our child (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


def is_ours(process: psutil.Process) -> bool:
    """Whether it runs, and is not one that Python keeps until it ends itself."""
    try:
        words = " ".join(process.cmdline())
        ended = process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    return not ended and "multiprocessing" not in words


def shown(process: psutil.Process) -> str:
    try:
        return f"{process.pid} {' '.join(process.cmdline())}"
    except psutil.NoSuchProcess:
        return str(process.pid)


def end(process: subprocess.Popen[bytes], with_signal: signal.Signals) -> None:
    process.send_signal(with_signal)
    process.wait(START_SECONDS)
