"""A broker that tests may kill, and worker processes as production starts them."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from al_service.local.home import open_home
from al_service.local.processes import wait_until
from al_service.local.valkey import EmbeddedValkey
from tests.conftest import Database

STOP_SECONDS = 15.0


class Broker:
    """A Valkey that can be killed and started again at the same address."""

    def __init__(self, folder: Path) -> None:
        self._home = open_home(folder)
        self._server = EmbeddedValkey(self._home)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return self._server.url

    def start(self) -> None:
        self._process = self._server.start()
        assert wait_until(self._server.ready, seconds=20)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def client(self) -> redis.Redis:
        return redis.Redis(
            unix_socket_path=str(self._home.sockets() / "valkey.sock"),
            password=self._home.secret("valkey"),
        )

    def drained(self) -> bool:
        """Whether every message was taken, worked off and acknowledged."""
        with self.client() as client:
            waiting = [client.llen(queue) for queue in ("train", "score")]
            return not any(waiting) and client.hlen("unacked") == 0

    def remove(self) -> None:
        self.kill()
        self._home.drop_sockets()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    broker = Broker(tmp_path / "broker")
    broker.start()
    yield broker
    broker.remove()


@dataclass(frozen=True)
class Worker:
    """A running process of `python -m workers`."""

    process: subprocess.Popen[bytes]
    log: Path

    def said(self, words: str) -> bool:
        return words in self.log.read_text()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=STOP_SECONDS)


Start = Callable[..., Worker]


@pytest.fixture
def start(broker: Broker, database: Database, tmp_path: Path) -> Iterator[Start]:
    """Starts a role, and ends at last what still runs."""
    started: list[Worker] = []

    def start(role: str, **settings: str) -> Worker:
        log = tmp_path / f"{role}-{len(started)}.log"
        environment = {
            "AL_HOME": str(tmp_path / "home"),
            "AL_DATABASE_URL": database.url,
            "AL_BROKER_URL": broker.url,
            **settings,
        }
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "workers", role],
                env={**os.environ, **environment},
                stdout=output,
                stderr=output,
            )
        started.append(Worker(process, log))
        return started[-1]

    yield start
    for worker in started:
        worker.process.kill()
        worker.process.wait()


@contextmanager
def ready(worker: Worker) -> Iterator[Worker]:
    """A worker that has connected to its broker."""
    assert wait_until(
        lambda: worker.said(" ready.") or worker.process.poll() is not None, seconds=120
    )
    assert worker.process.poll() is None, worker.log.read_text()
    yield worker
