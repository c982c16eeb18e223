import signal
import socket
import subprocess
from pathlib import Path

import httpx

from al_service.local.processes import wait_until
from tests.cli.running import AL, KEPT, STOP_SECONDS, answer, processes_of


def test_the_api_alone_serves_the_homes_database_for_its_own_duration(
    tmp_path: Path,
) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    with (tmp_path / "api.log").open("wb") as log:
        process = subprocess.Popen(
            [*AL, "api", "--home", str(tmp_path / "home"), "--port", str(port)],
            env=KEPT,
            stdout=log,
            stderr=log,
        )
    alive = f"http://127.0.0.1:{port}/healthz"
    assert wait_until(
        lambda: answer(alive) == httpx.codes.OK or process.poll() is not None,
        seconds=120,
    )
    assert process.poll() is None, (tmp_path / "api.log").read_text()
    # Nobody works, so it lives but is not ready, and says why.
    unready = httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=10.0)
    assert unready.status_code == httpx.codes.SERVICE_UNAVAILABLE
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=STOP_SECONDS) == 0
    assert processes_of(tmp_path / "home") == []
