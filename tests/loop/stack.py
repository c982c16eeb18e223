"""Real workers on a real broker and a real database, to be killed and restarted."""

import signal
import subprocess
import sys
from pathlib import Path

import redis
from celery import Celery

from al_service.local.home import Home, open_home
from al_service.local.processes import spawn, wait_until
from al_service.local.valkey import EmbeddedValkey
from al_service.rounds.doorbell import Doorbell

START_SECONDS = 60.0
REPOSITORY = Path(__file__).parents[2]

IMPATIENCE = {
    "AL_HEARTBEAT_SECONDS": "0.2",
    "AL_STALE_SECONDS": "2",
    "AL_SWEEP_SECONDS": "0.5",
    "AL_SCORE_CHUNK": "128",
    "AL_LOG_LEVEL": "INFO",
    "OMP_NUM_THREADS": "1",
}
"""What takes minutes in production takes seconds here."""


class WorkerStack:
    """One train worker, one score worker, the schedule and their broker."""

    def __init__(self, folder: Path, *, database_url: str) -> None:
        self.artifacts = folder / "artifacts"
        self._home: Home = open_home(folder / "home")
        self._valkey = EmbeddedValkey(self._home)
        self._broker = self._start_broker()
        self._environment = {
            **IMPATIENCE,
            "AL_DATABASE_URL": database_url,
            "AL_BROKER_URL": self._valkey.url,
            "AL_ARTIFACTS": str(self.artifacts),
        }
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.doorbell = Doorbell(self._valkey.url)

    def start(self, role: str) -> None:
        """Start a worker, or the schedule, as `al up` and the containers do."""
        self._processes[role] = spawn(
            [sys.executable, "-m", "workers", role],
            log=self._home.log(role),
            folder=REPOSITORY,
            environment=self._environment,
        )

    def kill(self, role: str) -> None:
        """`kill -9`: no goodbye, no cleaning up."""
        process = self._processes.pop(role)
        process.kill()
        process.wait(START_SECONDS)

    def ask_to_end(self, role: str) -> subprocess.Popen[bytes]:
        """SIGTERM, as a deployment sends it."""
        process = self._processes.pop(role)
        process.send_signal(signal.SIGTERM)
        return process

    def deliver(self, run_id: int, *, queue: str) -> None:
        """Send the message of a full run to a queue by hand."""
        with Celery(broker=self._valkey.url, set_as_current=False) as app:
            app.send_task(
                "workers.tasks.train", args=(run_id,), queue=queue, ignore_result=True
            )

    def flush_broker(self) -> None:
        """Every message is gone."""
        with self._client() as client:
            client.flushall()

    def stop_broker(self) -> None:
        """The broker dies with everything that it held."""
        self._broker.kill()
        self._broker.wait(START_SECONDS)

    def restart_broker(self) -> None:
        """An empty broker at the old address."""
        self._broker = self._start_broker()

    def log(self, role: str) -> str:
        """What a process has said."""
        return self._home.log(role).read_text()

    def close(self) -> None:
        """End everything that was started."""
        self.doorbell.close()
        for role in list(self._processes):
            self.kill(role)
        self.stop_broker()
        self._home.drop_sockets()

    def _start_broker(self) -> subprocess.Popen[bytes]:
        process = self._valkey.start()
        assert wait_until(self._valkey.ready, seconds=START_SECONDS)
        return process

    def _client(self) -> redis.Redis:
        address = self._valkey.url.replace("redis+socket", "unix")
        return redis.Redis.from_url(address.replace("virtual_host", "db"))
