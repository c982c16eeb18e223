import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
import redis

from al_service.local.home import open_home
from al_service.local.processes import wait_until
from al_service.local.record import StackRecord
from al_service.rounds.doorbell import Doorbell
from tests.cli.running import (
    AL,
    KEPT,
    STOP_SECONDS,
    Up,
    al,
    answer,
    processes_of,
    up,
)
from tests.folders import new_folder

NOBODY = 10**9
"""The id of a campaign that does not exist: a worker that hears it answers at once."""

PARTS = {"postgres", "valkey", "api", "worker-train", "worker-score", "schedule"}


@pytest.fixture(scope="module")
def stack() -> Iterator[Up]:
    with new_folder() as folder:
        home = folder / "my galaxies" / ("deep " * 25).strip()
        with up(home) as running:
            yield running
            running.stop()
        assert processes_of(home) == []


def test_one_line_leads_to_a_stack_that_is_ready(stack: Up) -> None:
    lines = stack.printed.read_text().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("http://127.0.0.1:")
    assert set(stack.children()) == PARTS
    assert stack.ready()


def test_its_token_is_an_admin_and_nobody_enters_without_one(stack: Up) -> None:
    campaigns = f"{stack.address}/api/v1/campaigns"
    assert answer(campaigns) == httpx.codes.UNAUTHORIZED
    headers = {"Authorization": f"Bearer {stack.token}"}
    assert httpx.get(campaigns, headers=headers).status_code == httpx.codes.OK


def test_only_the_api_listens_on_the_network(stack: Up) -> None:
    listening = {
        child.name
        for child in stack.record().children
        for connection in psutil.Process(child.pid).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"api"}


def test_every_process_has_its_log_and_no_secret_is_readable_by_others(
    stack: Up,
) -> None:
    home = open_home(stack.home)
    assert all(home.log(name).exists() for name in PARTS)
    for path in (home.record, *(home.path / "secrets").iterdir()):
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_second_start_in_the_same_home_names_the_first(stack: Up) -> None:
    second = al("up", "--home", stack.home, "--port", 0)
    assert second.returncode == 1
    assert second.stdout == ""
    assert stack.url in second.stderr
    assert str(stack.process.pid) in second.stderr
    assert stack.ready()


def test_commands_use_the_running_stack(stack: Up) -> None:
    made = al("token", "create", "vera", "--home", stack.home)
    assert made.returncode == 0
    headers = {"Authorization": f"Bearer {made.stdout.strip()}"}
    campaigns = f"{stack.address}/api/v1/campaigns"
    assert httpx.get(campaigns, headers=headers).status_code == httpx.codes.OK


def test_the_doctor_finds_a_running_stack_healthy(stack: Up) -> None:
    report = al("doctor", "--home", stack.home)
    assert report.returncode == 0, report.stdout
    assert "worker score: seen" in report.stdout


@pytest.mark.parametrize("name", ["api", "worker-train", "schedule", "valkey"])
def test_a_part_that_was_killed_is_started_again(stack: Up, name: str) -> None:
    before = stack.child(name).pid
    os.kill(before, signal.SIGKILL)
    assert wait_until(lambda: stack.child(name).pid != before, seconds=30)
    assert wait_until(stack.ready, seconds=60)


def test_a_killed_database_comes_back_and_everybody_reconnects(stack: Up) -> None:
    before = stack.child("postgres").pid
    others = {name: pid for name, pid in stack.children().items() if name != "postgres"}
    os.kill(before, signal.SIGKILL)
    assert wait_until(lambda: stack.child("postgres").pid != before, seconds=60)
    assert wait_until(stack.ready, seconds=60)
    now = stack.children()
    assert {name: now[name] for name in others} == others


def test_a_flushed_broker_rings_on(stack: Up) -> None:
    home = open_home(stack.home)
    client = redis.Redis(
        unix_socket_path=str(home.sockets() / "valkey.sock"),
        password=home.secret("valkey"),
    )
    with client:
        client.flushall()
        bell = Doorbell(stack.record().broker_url)
        bell.plan(NOBODY)
        bell.close()

        def heard() -> bool:
            return client.llen("score") == 0 and client.hlen("unacked") == 0

        assert wait_until(heard, seconds=30)
    assert stack.ready()


def test_a_stack_that_was_killed_leaves_nothing_and_starts_again(
    tmp_path: Path,
) -> None:
    with up(tmp_path) as first:
        url, pids = first.url, first.children()
        first.process.kill()
        first.process.wait()
        with up(tmp_path) as second:
            assert second.token in url  # the same token goes on
            assert not set(second.children().values()) & set(pids.values())
            assert second.ready()
            assert second.stop() == 0
    assert processes_of(tmp_path) == []


def test_a_worker_that_does_not_answer_holds_the_end_up_no_longer_than_agreed(
    tmp_path: Path,
) -> None:
    with up(tmp_path) as running:
        os.kill(running.child("worker-train").pid, signal.SIGSTOP)
        assert running.stop(signal.SIGINT) == 0  # waits as long as agreed
    assert processes_of(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stack_that_is_told_to_end_while_starting_leaves_nothing(
    tmp_path: Path, number: signal.Signals
) -> None:
    with subprocess.Popen(
        [*AL, "up", "--home", str(tmp_path), "--port", "0"],
        env=KEPT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert wait_until(lambda: has_children(tmp_path), seconds=60)
        process.send_signal(number)
        printed, _ = process.communicate(timeout=STOP_SECONDS)
    assert process.returncode == 0
    assert printed == b""
    assert processes_of(tmp_path) == []


def has_children(folder: Path) -> bool:
    record = StackRecord.read(open_home(folder))
    return record is not None and bool(record.children)


def test_real_servers_take_the_place_of_the_embedded_ones(
    stack: Up, tmp_path: Path
) -> None:
    record = stack.record()
    given = {
        "AL_DATABASE_URL": record.database_url,
        "AL_BROKER_URL": record.broker_url,
        "AL_ARTIFACTS": str(tmp_path / "arrays"),
    }
    with up(tmp_path / "home", environment=given) as second:
        assert set(second.children()) == PARTS - {"postgres", "valkey"}
        assert second.ready()
        assert second.stop() == 0
    assert (tmp_path / "arrays").is_dir()
    assert stack.ready()


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        refused = al("up", "--home", tmp_path, "--port", port)
    assert refused.returncode == 1
    assert f"port {port} of 127.0.0.1 cannot be opened" in refused.stderr
    assert "--port 0" in refused.stderr
    assert processes_of(tmp_path) == []
