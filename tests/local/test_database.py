import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from al_service.errors import StackProblem
from al_service.local import database
from al_service.local.database import database_for
from al_service.local.home import Home, open_home
from al_service.local.locks import FileLock
from al_service.local.postgres import EmbeddedPostgres
from al_service.local.processes import record_of, wait_until
from al_service.local.record import StackRecord, StackState
from al_service.settings import Settings
from tests.folders import new_folder

COMMAND = """
import sys
from pathlib import Path
from al_service.local.database import database_for
from al_service.settings import Settings
from tests.folders import new_folder

with database_for(Path(sys.argv[1]), Settings(), upgrade=lambda _: None) as settings:
    print(settings.database_url, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    with new_folder() as folder:
        place = open_home(folder / "home")
        yield place
        EmbeddedPostgres(place).stop()


def nothing(_settings: Settings) -> None:
    return


def ask(settings: Settings, question: str) -> object:
    assert settings.database_url is not None
    with psycopg.connect(settings.database_url.replace("+psycopg", "")) as connection:
        row = connection.execute(question.encode()).fetchone()
    return row[0] if row else None


def running(home: Home) -> bool:
    return EmbeddedPostgres(home).running() is not None


def test_a_command_without_a_stack_gets_a_database_for_its_own_duration(
    home: Home,
) -> None:
    upgraded: list[Settings] = []
    with database_for(home.path, Settings(), upgrade=upgraded.append) as settings:
        assert ask(settings, "SELECT current_database()") == "al"
        assert upgraded == [settings]
        assert settings.artifacts == home.path / "artifacts"
        assert settings.broker_url is None
    assert not running(home)


def test_two_commands_share_the_database_and_the_last_one_stops_it(home: Home) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND, str(home.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        url = other.stdout.readline().strip()
        with database_for(home.path, Settings(), upgrade=nothing) as settings:
            assert settings.database_url == url
            other.stdin.close()
            assert other.wait(timeout=30) == 0
            assert ask(settings, "SELECT 1") == 1  # who started it has left
    assert not running(home)


def test_a_server_that_a_killed_command_left_is_used_and_stopped(home: Home) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND, str(home.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        other.kill()
    left = EmbeddedPostgres(home).running()
    assert left is not None
    with database_for(home.path, Settings(), upgrade=nothing):
        assert EmbeddedPostgres(home).running() == left
    assert not running(home)


def test_a_server_that_the_environment_names_is_used_as_it_is(
    tmp_path: Path, home: Home
) -> None:
    given = Settings(
        database_url="postgresql+psycopg://al@db.example/al", artifacts=tmp_path / "a"
    )
    upgraded: list[Settings] = []
    with database_for(home.path, given, upgrade=upgraded.append) as settings:
        assert settings.database_url == given.database_url
        assert settings.artifacts == tmp_path / "a"
    assert upgraded == []
    assert not running(home)


def stack_of(home: Home, state: StackState, pid: int) -> StackRecord:
    return StackRecord(
        supervisor=record_of("supervisor", pid),
        state=state,
        url="http://127.0.0.1:8151/?token=t",
        database_url="postgresql+psycopg://al@/al?host=/stack",
        broker_url="redis+socket://:p@/stack/valkey.sock?virtual_host=0",
        artifacts=str(home.path / "elsewhere"),
    )


def test_a_command_uses_the_stack_that_runs_in_its_home(home: Home) -> None:
    with (
        subprocess.Popen(
            [sys.executable, "-c", "input()"], stdin=subprocess.PIPE
        ) as up,
        FileLock(home.lock) as held,
    ):
        assert held.alone()
        stack = stack_of(home, StackState.READY, up.pid)
        stack.write(home)
        with database_for(home.path, Settings(), upgrade=nothing) as settings:
            assert settings.database_url == stack.database_url
            assert settings.broker_url == stack.broker_url
            assert settings.artifacts == home.path / "elsewhere"
        up.kill()
    home.record.unlink()


def test_a_stack_that_never_gets_ready_is_not_waited_for_without_end(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PATIENCE_SECONDS", 0.2)
    with FileLock(home.lock) as held:
        assert held.alone()
        with (
            pytest.raises(StackProblem, match="starting or stopping"),
            database_for(home.path, Settings(), upgrade=nothing),
        ):
            pass


def test_a_lock_is_free_again_when_its_holder_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    program = (
        "import sys; from pathlib import Path;"
        "from al_service.local.locks import FileLock;"
        "lock = FileLock(Path(sys.argv[1])); print(lock.alone(), flush=True);"
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == "True"
        with FileLock(path) as lock:
            assert not lock.shared()
            holder.kill()
            holder.wait()
            assert wait_until(lock.alone, seconds=5)
