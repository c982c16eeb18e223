"""Every service of the composition, run for real against the embedded servers."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest
import redis

from al_service.local.home import open_home
from al_service.local.postgres import EmbeddedPostgres
from al_service.local.processes import wait_until
from al_service.local.valkey import EmbeddedValkey
from tests.cli.running import AL, KEPT, answer
from tests.folders import new_folder
from tests.production.composition import (
    SECRETS,
    command_of,
    environment_of,
    health_check_of,
    services,
)

LASTING = ("api", "train", "score", "schedule")


@dataclass(frozen=True)
class Place:
    """Where the services run instead of containers."""

    folder: Path
    database_url: str
    broker_url: str
    port: int

    def environment(self, name: str) -> dict[str, str]:
        """The file's variables, with our addresses in the place of its host names."""
        given = environment_of(services()[name])
        assert given["AL_DATABASE_URL"].startswith("postgresql+psycopg://al:")
        assert "@database:5432/al" in given["AL_DATABASE_URL"]
        assert "@broker:6379/0" in given["AL_BROKER_URL"]
        return {
            **KEPT,
            **given,
            "AL_DATABASE_URL": self.database_url,
            "AL_BROKER_URL": self.broker_url,
            "AL_ARTIFACTS": str(self.folder / given["AL_ARTIFACTS"].lstrip("/")),
            "AL_HOME": str(self.folder / f"home-{name}"),  # a container's own
            "AL_HOST": "127.0.0.1",
            "AL_PORT": str(self.port),
        }

    def start(self, name: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                [*AL, *command_of(services()[name])],
                env=self.environment(name),
                cwd=self.folder,
                stdout=log,
                stderr=log,
            )

    def healthy(self, name: str) -> bool:
        """What the service's own health check says."""
        program, *words = health_check_of(services()[name])
        command = [*AL, *words] if program == "al" else [sys.executable, *words]
        checked = subprocess.run(
            [word.replace(":8151", f":{self.port}") for word in command],
            env=self.environment(name),
            capture_output=True,
            check=False,
        )
        return checked.returncode == 0


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    with new_folder() as folder:
        home = open_home(folder / "servers")
        database, broker = EmbeddedPostgres(home), EmbeddedValkey(home)
        database.start_and_wait()
        broker_process = broker.start()
        assert wait_until(broker.ready, seconds=20)
        yield Place(folder, database.url, broker.url, port)
        broker_process.terminate()
        broker_process.wait()
        database.stop()


def test_the_composition_comes_up_step_by_step_and_goes_down_in_time(
    place: Place,
) -> None:
    assert place.start("migrate").wait(timeout=120) == 0
    with psycopg.connect(place.database_url.replace("+psycopg", "")) as connection:
        assert connection.execute("SELECT count(*) FROM campaign").fetchone() == (0,)
    assert not place.healthy("api")
    assert not place.healthy("train")
    running = {name: place.start(name) for name in LASTING}
    try:
        ready = f"http://127.0.0.1:{place.port}/readyz"
        assert wait_until(lambda: answer(ready) == httpx.codes.OK, seconds=120)
        for name in LASTING:
            assert wait_until(partial(place.healthy, name), seconds=120), name
        for process in running.values():
            process.send_signal(signal.SIGTERM)
        codes = {name: process.wait(timeout=20) for name, process in running.items()}
        assert codes == dict.fromkeys(LASTING, 0)
    finally:
        for process in running.values():
            process.kill()
            process.wait()


def test_the_brokers_command_starts_a_broker_that_asks_for_the_password(
    tmp_path: Path,
) -> None:
    folder = Path(tempfile.mkdtemp(prefix="al-"))  # a socket's path is short
    real = EmbeddedValkey.program()
    wrapper = tmp_path / "valkey-server"  # as in the image, but on no port
    wrapper.write_text(
        f'#!/bin/sh\nexec "{real}" "$@" --port 0 --unixsocket {folder}/s\n'
    )
    wrapper.chmod(0o755)
    broker = services()["broker"]
    with subprocess.Popen(
        command_of(broker),
        env={
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            **environment_of(broker),
        },
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
    ) as process:
        server = psutil.Process(process.pid)
        stranger = redis.Redis(unix_socket_path=f"{folder}/s")
        assert wait_until((folder / "s").exists, seconds=20)
        with stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
        password = SECRETS["AL_BROKER_PASSWORD"]
        with redis.Redis(unix_socket_path=f"{folder}/s", password=password) as client:
            assert client.ping()
            assert client.config_get("save", "appendonly") == {
                "save": "",
                "appendonly": "no",
            }
        assert "valkey" in server.name(), "SIGTERM reaches the server, not a shell"
        assert not server.children()
        process.terminate()
        assert process.wait(timeout=20) == 0
    (folder / "s").unlink(missing_ok=True)
    folder.rmdir()


def test_the_databases_options_are_what_initdb_takes() -> None:
    options = environment_of(services()["database"])["POSTGRES_INITDB_ARGS"].split()
    explained = subprocess.run(
        [EmbeddedPostgres.program("initdb"), "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    known = set(re.findall(r"--[a-z-]+", explained.stdout))
    assert {option.partition("=")[0] for option in options} <= known
