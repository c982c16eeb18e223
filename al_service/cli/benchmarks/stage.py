"""Where services are measured: a PostgreSQL of their own, gone afterwards."""

import http.client
import signal
import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from al_service.cli.home import address, read_settings, upgrade_tables
from al_service.errors import StackProblem
from al_service.local.assembly import PYTHON, environment_of
from al_service.local.database import database_for
from al_service.local.home import open_home
from al_service.local.processes import end, record_of, spawn, tail, wait_until
from al_service.settings import Settings
from db.session import create_database_engine, create_sessions

READY_SECONDS: Final = 60.0
GRACE_SECONDS: Final = 5.0

_FILLED = text(
    "SELECT relid::regclass::text FROM pg_stat_user_tables"
    " WHERE pg_relation_size(relid) > 0 ORDER BY 1"
)


@dataclass(frozen=True)
class Stage:
    """A new home with a running database and nothing in it."""

    settings: Settings
    engine: Engine
    sessions: sessionmaker[Session]

    @property
    def artifacts(self) -> Path:
        """Folder of arrays and checkpoints."""
        return self.settings.artifacts_folder

    def settle(self) -> None:
        """Finish what writing many rows leaves for later: it would disturb a clock.

        Tables without rows are left alone, as autovacuum leaves them: PostgreSQL would
        remember that they are empty, and plan to read them from end to end.
        """
        with self.engine.connect().execution_options(
            isolation_level="AUTOCOMMIT"
        ) as connection:
            for table in connection.scalars(_FILLED).all():
                connection.execute(text(f"VACUUM (ANALYZE) {table}"))
            connection.execute(text("CHECKPOINT"))


@dataclass(frozen=True)
class Server:
    """A server process that answers."""

    port: int
    process: psutil.Process

    def processor_seconds(self) -> float:
        """Processor time that it has used so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@contextmanager
def new_folder(home: Path) -> Iterator[Path]:
    """A folder below `home` for one benchmark, removed afterwards."""
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=home.resolve()) as folder:
        yield Path(folder)


@contextmanager
def stage(home: Path) -> Iterator[Stage]:
    """Start a database in a new folder below `home`; whatever else runs is left alone.

    AL_DATABASE_URL is not used: a million rows do not belong into anybody's server.
    """
    with new_folder(home) as folder:
        own = read_settings(folder).model_copy(
            update={"database_url": None, "broker_url": None, "artifacts": None}
        )
        with database_for(folder, own, upgrade=upgrade_tables) as settings:
            engine = create_database_engine(address(settings))
            try:
                yield Stage(settings, engine, create_sessions(engine))
            except OperationalError as problem:
                raise StackProblem(
                    f"{problem.orig}\nThe end of PostgreSQL's log, which goes with its "
                    f"folder:\n{tail(open_home(folder).log('postgres'))}"
                ) from problem
            finally:
                engine.dispose()


@contextmanager
def served(settings: Settings, name: str, program: Sequence[str]) -> Iterator[Server]:
    """A server process on a port of its own.

    Args:
        settings: what it reads from its environment.
        name: of its log.
        program: module and arguments; the number of an open socket is appended.

    Yields:
        The server, once it answers.
    """
    log = settings.home / "logs" / f"{name}.log"
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1024)
        port: int = listener.getsockname()[1]
        process = spawn(
            [*PYTHON, "-m", *program, str(listener.fileno())],
            log=log,
            folder=settings.home,
            environment=environment_of(settings),
            keep=(listener.fileno(),),
        )
        try:
            wait_until(
                lambda: process.poll() is not None or _answers(port),
                seconds=READY_SECONDS,
            )
            if process.poll() is not None or not _answers(port):
                raise StackProblem(f"{name} did not start:\n{tail(log)}")
            yield Server(port, psutil.Process(process.pid))
        finally:
            end([record_of(name, process.pid)], signal.SIGTERM, grace=GRACE_SECONDS)
            process.wait()


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2.0)
    try:
        connection.request("GET", "/healthz")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True
