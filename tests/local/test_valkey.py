import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
import redis
from celery import Celery
from redis.backoff import NoBackoff
from redis.retry import Retry

from al_service.local.home import Home, open_home
from al_service.local.processes import wait_until
from al_service.local.valkey import EmbeddedValkey
from tests.folders import new_folder


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    with new_folder() as folder:
        place = open_home(folder / 'odd "home"' / ("deep " * 30))
        yield place
        place.drop_sockets()


@pytest.fixture(scope="module")
def server(home: Home) -> Iterator[EmbeddedValkey]:
    server = EmbeddedValkey(home)
    process = server.start()
    assert wait_until(server.ready, seconds=20)
    assert psutil.Process(process.pid).net_connections("inet") == []
    yield server
    process.terminate()
    process.wait()


def test_it_refuses_who_does_not_know_the_password(server: EmbeddedValkey) -> None:
    stranger = redis.Redis(
        unix_socket_path=urlsplit(server.url).path, retry=Retry(NoBackoff(), 0)
    )
    with stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()


def test_its_password_is_in_no_file_that_others_read_and_no_command_line(
    home: Home, server: EmbeddedValkey
) -> None:
    secret = home.secret("valkey")
    assert secret in server.url
    configuration = home.valkey / "valkey.conf"
    assert stat.S_IMODE(configuration.stat().st_mode) == 0o600
    lines = [
        argument
        for process in psutil.process_iter(["cmdline"])
        for argument in process.info["cmdline"] or []
    ]
    assert not any(secret in line for line in lines)


def test_celery_can_send_through_it(server: EmbeddedValkey) -> None:
    app = Celery("test", broker=server.url, set_as_current=False)
    app.send_task("workers.tasks.sweep", queue="score", ignore_result=True)
    with app.connection_for_read() as connection:
        message = connection.SimpleQueue("score").get(timeout=5)
        assert message.headers["task"] == "workers.tasks.sweep"
        message.ack()
    app.close()


def test_a_second_start_finds_no_obstacle_in_an_old_socket(tmp_path: Path) -> None:
    home = open_home(tmp_path)
    for _ in range(2):
        server = EmbeddedValkey(home)
        process = server.start()
        assert wait_until(server.ready, seconds=20)
        process.kill()
        process.wait()
