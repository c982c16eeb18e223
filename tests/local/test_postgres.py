import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from al_service.errors import StackProblem
from al_service.local.home import Home, open_home
from al_service.local.postgres import EmbeddedPostgres
from al_service.local.processes import wait_until
from tests.folders import new_folder


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    with new_folder() as folder:
        place = open_home(folder / "a home" / ("deep " * 20) / "ü")
        yield place
        EmbeddedPostgres(place).stop()
        place.drop_sockets()


@pytest.fixture
def server(home: Home) -> EmbeddedPostgres:
    server = EmbeddedPostgres(home)
    if server.running() is None:
        server.start_and_wait()
    return server


def ask(server: EmbeddedPostgres, question: str) -> object:
    url = server.url.replace("+psycopg", "")
    with psycopg.connect(url) as connection:
        row = connection.execute(question.encode()).fetchone()
    return row[0] if row else None


def test_it_listens_on_a_unix_socket_only(server: EmbeddedPostgres) -> None:
    record = server.running()
    assert record is not None
    process = psutil.Process(record.pid)
    assert process.net_connections("inet") == []
    assert ask(server, "SHOW listen_addresses") == ""


def test_its_data_and_socket_are_its_own(home: Home, server: EmbeddedPostgres) -> None:
    assert stat.S_IMODE(home.postgres.stat().st_mode) == 0o700
    sockets = home.sockets() / "postgres"
    assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    assert sockets.stat().st_uid == home.postgres.stat().st_uid
    assert server.running() is not None


def test_text_is_ordered_by_its_bytes_whatever_the_machine_speaks(
    server: EmbeddedPostgres,
) -> None:
    assert ask(server, "SHOW server_encoding") == "UTF8"
    assert ask(server, "SELECT 'a' > 'B'") is True


def test_what_was_written_survives_a_kill(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.url.replace("+psycopg", "")) as connection:
        connection.execute("CREATE TABLE night (seeing float)")
        connection.execute("INSERT INTO night VALUES (0.7)")
    record = server.running()
    assert record is not None
    os.kill(record.pid, signal.SIGKILL)
    assert wait_until(lambda: server.running() is None, seconds=10)
    assert wait_until(lambda: _starts(server), seconds=60)
    assert ask(server, "SELECT seeing FROM night") == 0.7


def _starts(server: EmbeddedPostgres) -> bool:
    try:
        server.start_and_wait()
    except StackProblem:  # the killed server's children are still leaving
        return False
    return True


def test_a_stale_note_with_the_id_of_a_living_stranger_is_no_obstacle(
    home: Home, server: EmbeddedPostgres
) -> None:
    server.stop()
    note = home.postgres / "postmaster.pid"
    note.write_text(f"{os.getpid()}\n{home.postgres}\n1000000000\n5432\n\n\n\nready\n")
    assert server.running() is None
    server.start_and_wait()
    assert ask(server, "SELECT 1") == 1


def test_an_interrupted_first_start_is_begun_again(tmp_path: Path) -> None:
    home = open_home(tmp_path)
    half = home.path / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    server = EmbeddedPostgres(home)
    server.start_and_wait()
    assert ask(server, "SELECT 1") == 1
    server.stop()
    assert server.running() is None


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    broken = open_home(tmp_path)
    broken.postgres.mkdir()
    (broken.postgres / "PG_VERSION").write_text("9.6\n")
    server = EmbeddedPostgres(broken)
    with pytest.raises(StackProblem, match=r"PostgreSQL did not start(.|\n)*postgres"):
        server.start_and_wait()
