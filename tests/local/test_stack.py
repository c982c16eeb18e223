import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from al_service.errors import StackProblem
from al_service.local import stack
from al_service.local.assembly import environment_of
from al_service.local.home import open_home
from al_service.local.locks import FileLock
from al_service.local.postgres import EmbeddedPostgres
from al_service.local.processes import ProcessRecord, record_of, spawn
from al_service.local.record import StackRecord, StackState, running_stack
from al_service.local.stack import recover, run_stack
from al_service.settings import Settings

FOREVER = [sys.executable, "-c", "import signal; signal.pause()"]
DEAD = ProcessRecord("supervisor", 2**22 + 1, 0.0)  # beyond the largest process id


def record(*children: ProcessRecord) -> StackRecord:
    return StackRecord(
        supervisor=DEAD,
        state=StackState.READY,
        url="http://127.0.0.1:8151/?token=t",
        database_url="postgresql+psycopg://al@/al?host=/nowhere",
        broker_url="redis+socket:///nowhere?virtual_host=0",
        artifacts="/nowhere",
        children=children,
    )


def test_a_record_reads_as_it_was_written(tmp_path: Path) -> None:
    home = open_home(tmp_path)
    written = record(ProcessRecord("api", 12, 34.5))
    written.write(home)
    assert StackRecord.read(home) == written


def test_a_record_that_a_power_cut_has_emptied_is_no_record(tmp_path: Path) -> None:
    home = open_home(tmp_path)
    home.record.touch()
    assert StackRecord.read(home) is None
    assert recover(home) == []
    assert not home.record.exists()


def test_a_dead_supervisors_stack_does_not_run(tmp_path: Path) -> None:
    home = open_home(tmp_path)
    record().write(home)
    assert running_stack(home) is None


def test_what_a_dead_stack_left_is_ended_and_a_stranger_with_an_old_id_is_not(
    tmp_path: Path,
) -> None:
    home = open_home(tmp_path)
    log = tmp_path / "log"
    orphan = spawn(FOREVER, log=log, folder=tmp_path)
    stranger = spawn(FOREVER, log=log, folder=tmp_path)
    earlier = replace(record_of("api", stranger.pid), started=1000.0)
    EmbeddedPostgres(home).start_and_wait()
    record(record_of("worker-train", orphan.pid), earlier).write(home)
    assert recover(home) == ["worker-train", "postgres"]
    assert orphan.wait(timeout=5) == -signal.SIGTERM
    assert stranger.poll() is None
    assert EmbeddedPostgres(home).running() is None
    assert StackRecord.read(home) is None
    stranger.kill()
    stranger.wait()


def test_a_stack_does_not_start_under_the_feet_of_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stack, "BUSY_SECONDS", 0.2)
    home = open_home(tmp_path)
    with FileLock(home.lock) as command:
        assert command.shared()
        with pytest.raises(StackProblem, match="commands are using the database"):
            run_stack(tmp_path, Settings(port=0), prepare=str, announce=print)


def test_children_read_the_settings_that_their_parent_had(tmp_path: Path) -> None:
    settings = Settings(
        home=tmp_path,
        database_url="postgresql+psycopg://al@/al?host=/x",
        artifacts=tmp_path / "arrays",
        port=0,
        sweep_seconds=0.5,
    )
    program = "from al_service.settings import Settings; print(repr(Settings()))"
    shown = subprocess.run(
        [sys.executable, "-c", program],
        env=environment_of(settings),
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.strip() == repr(settings)
