import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from al_service.local import processes
from al_service.local.processes import end, record_of, spawn, tail, wait_until

FOREVER = [sys.executable, "-c", "import signal; signal.pause()"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "print('deaf', flush=True)\n"
    "while True: signal.pause()",
]
PARENT = """
import sys, time
from pathlib import Path
from al_service.local.processes import spawn
child = spawn([sys.executable, "-c", "import signal; signal.pause()"],
              log=Path(sys.argv[1]), folder=Path("/"))
print(child.pid, flush=True)
child.wait()
"""


def test_a_record_finds_its_process_and_no_later_one_with_its_id(
    tmp_path: Path,
) -> None:
    process = spawn(FOREVER, log=tmp_path / "log", folder=tmp_path)
    record = record_of("worker", process.pid)
    assert record.find() is not None
    assert replace(record, started=record.started - 60).find() is None
    assert end([record], signal.SIGTERM, grace=5.0) == ["worker"]
    assert record.find() is None  # a zombie, not yet waited for, has ended
    process.wait()
    assert end([record], signal.SIGTERM, grace=5.0) == []


def test_a_stranger_with_a_recorded_id_is_left_alone(tmp_path: Path) -> None:
    process = spawn(FOREVER, log=tmp_path / "log", folder=tmp_path)
    record = record_of("worker", process.pid)
    earlier = replace(record, started=record.started - 3600)
    assert end([earlier], signal.SIGTERM, grace=0.1) == []
    assert process.poll() is None
    process.kill()
    process.wait()


def test_a_process_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = spawn(STUBBORN, log=log, folder=tmp_path)
    assert wait_until(lambda: "deaf" in tail(log), seconds=20)
    end([record_of("worker", process.pid)], signal.SIGTERM, grace=0.2)
    assert process.wait() == -signal.SIGKILL


@pytest.mark.skipif(sys.platform != "linux", reason="macOS has no such tie")
def test_children_die_with_a_killed_parent(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path / "log")], stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        child = record_of("child", int(parent.stdout.readline()))
        parent.kill()
    assert wait_until(lambda: child.find() is None, seconds=5)


def test_a_child_gets_its_variables_on_top_of_ours(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = [
        sys.executable,
        "-c",
        "import os; print(os.environ['AL_X'], len(os.environ))",
    ]
    spawn(command, log=log, folder=tmp_path, environment={"AL_X": "galaxy"}).wait()
    word, number = tail(log).split()
    assert word == "galaxy"
    assert int(number) >= len(os.environ)


def test_a_child_is_not_in_our_terminal_session(tmp_path: Path) -> None:
    process = spawn(FOREVER, log=tmp_path / "log", folder=tmp_path)
    assert os.getsid(process.pid) == process.pid
    process.kill()
    process.wait()


def test_a_large_log_is_put_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "LARGEST_LOG", 10)
    log = tmp_path / "api.log"
    log.write_text("a line of an earlier run\n")
    spawn([sys.executable, "-c", "print('new')"], log=log, folder=tmp_path).wait()
    assert log.read_text() == "new\n"
    assert "earlier" in (tmp_path / "api.old.log").read_text()
