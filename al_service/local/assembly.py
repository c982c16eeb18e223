"""The parts of a stack in the order in which they start and end."""

import http.client
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace

from al_service.local.database import artifacts_of
from al_service.local.home import Home
from al_service.local.postgres import START_SECONDS, EmbeddedPostgres
from al_service.local.processes import ProcessRecord, record_of, spawn
from al_service.local.record import StackRecord, StackState
from al_service.local.supervisor import Part, Supervisor
from al_service.local.valkey import EmbeddedValkey
from al_service.settings import Settings

PYTHON = (sys.executable, "-P")
"""`-P`: a folder `db` or `workers` where the user stands must not shadow ours."""

PROGRAMS: Mapping[str, tuple[str, ...]] = {
    "worker-train": ("workers", "train"),
    "worker-score": ("workers", "score"),
    "schedule": ("workers", "schedule"),
}
"""Modules with their arguments; the API is one more."""

READY_SECONDS = 120.0
"""A cold disk under two cores needs a minute to import torch twice."""

GRACE_SECONDS = 8.0
"""Training hears SIGTERM every few batches; all of a shutdown may take 15 s."""

SERVER_GRACE_SECONDS = 2.0


class Assembly:
    """One stack from its first process to its last."""

    def __init__(
        self,
        home: Home,
        settings: Settings,
        listener: socket.socket,
        stop: threading.Event,
    ) -> None:
        self._home = home
        self._listener = listener
        self._stop = stop
        self._postgres = EmbeddedPostgres(home)
        self._valkey = EmbeddedValkey(home)
        self._own_database = settings.database_url is None
        self._own_broker = settings.broker_url is None
        self._settings = settings.model_copy(
            update={
                "home": home.path,
                "artifacts": artifacts_of(home, settings),
                "database_url": settings.database_url or self._postgres.url,
                "broker_url": settings.broker_url or self._valkey.url,
                "port": listener.getsockname()[1],
            }
        )
        self._record = StackRecord(
            supervisor=record_of("supervisor", os.getpid()),
            state=StackState.STARTING,
            url="",
            database_url=self._settings.database_url or "",
            broker_url=self._settings.broker_url or "",
            artifacts=str(self._settings.artifacts),
        )
        self._record.write(home)
        self._supervisor = Supervisor(stop, self._remember)

    def run(
        self, prepare: Callable[[Settings], str], announce: Callable[[str], None]
    ) -> None:
        """Start everything, watch it, and end everything, whatever happens.

        Args:
            prepare: See `run_stack`.
            announce: See `run_stack`.
        """
        try:
            if not self._start_servers():
                return
            token = prepare(self._settings)
            if not self._start_programs():
                return
            host, port = self._listener.getsockname()[:2]
            shown = "127.0.0.1" if host == "0.0.0.0" else host
            url = f"http://{shown}:{port}/?token={token}"
            self._write(replace(self._record, url=url, state=StackState.READY))
            announce(url)
            self._supervisor.watch()
        finally:
            self._end()

    def _start_servers(self) -> bool:
        if self._own_database:
            self._supervisor.start(self._database_part())
        if self._own_broker:
            self._supervisor.start(
                Part("valkey", self._valkey.start, self._home.log("valkey"))
            )
        return (
            not self._own_database
            or self._supervisor.wait_for(
                "PostgreSQL",
                self._postgres.ready,
                seconds=START_SECONDS,
                why=lambda: f"see {self._home.log('postgres')}",
            )
        ) and (
            not self._own_broker
            or self._supervisor.wait_for(
                "Valkey",
                self._valkey.ready,
                seconds=START_SECONDS,
                why=lambda: f"see {self._home.log('valkey')}",
            )
        )

    def _database_part(self) -> Part:
        return Part(
            "postgres",
            lambda: self._postgres.start(at_our_death=signal.SIGINT),
            self._home.log("postgres"),
        )

    def _start_programs(self) -> bool:
        if self._stop.is_set():
            return False
        number = self._listener.fileno()
        commands = {"api": ("al_service.cli", "api", "--fd", str(number)), **PROGRAMS}
        for name, command in commands.items():
            self._supervisor.start(self._program(name, command))
        return self._supervisor.wait_for(
            "the stack",
            lambda: self._readiness()[0] == http.client.OK,
            seconds=READY_SECONDS,
            why=lambda: f"{self._readiness()[1]}; see {self._home.logs}",
        )

    def _program(self, name: str, command: tuple[str, ...]) -> Part:
        module, *arguments = command
        environment = environment_of(self._settings)
        keep = (self._listener.fileno(),) if name == "api" else ()
        log = self._home.log(name)

        return Part(
            name,
            lambda: spawn(
                [*PYTHON, "-m", module, *arguments],
                log=log,
                folder=self._home.path,
                environment=environment,
                keep=keep,
            ),
            log,
        )

    def _readiness(self) -> tuple[int, str]:
        """Status and body of the API's own answer whether everything is there."""
        host, port = self._listener.getsockname()[:2]
        connection = http.client.HTTPConnection(host, port, timeout=5.0)
        try:
            connection.request("GET", "/readyz")
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            return 0, f"the API does not answer: {error}"
        finally:
            connection.close()

    def _remember(self, child: ProcessRecord) -> None:
        self._write(self._record.with_child(child))

    def _write(self, record: StackRecord) -> None:
        self._record = record
        record.write(self._home)

    def _end(self) -> None:
        self._write(replace(self._record, state=StackState.STOPPING))
        self._supervisor.end(["api", *PROGRAMS], signal.SIGTERM, grace=GRACE_SECONDS)
        self._supervisor.end(["valkey"], signal.SIGTERM, grace=SERVER_GRACE_SECONDS)
        self._supervisor.end(["postgres"], signal.SIGINT, grace=SERVER_GRACE_SECONDS)
        self._home.record.unlink()
        self._home.drop_sockets()


def environment_of(settings: Settings) -> dict[str, str]:
    """The variables from which a child process reads these settings."""
    values = settings.model_dump(mode="json")
    return {
        f"AL_{name.upper()}": str(value)
        for name, value in values.items()
        if value is not None
    }
