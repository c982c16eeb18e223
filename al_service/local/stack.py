"""The whole service on one machine: servers, API, workers and schedule."""

import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from al_service.errors import StackProblem
from al_service.local.assembly import GRACE_SECONDS, Assembly
from al_service.local.home import Home, open_home
from al_service.local.locks import FileLock
from al_service.local.postgres import EmbeddedPostgres
from al_service.local.processes import end, wait_until
from al_service.local.record import StackRecord, running_stack
from al_service.settings import Settings

BUSY_SECONDS = 10.0
"""How long `al up` waits for commands that use the home's database."""

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

logger = logging.getLogger(__name__)


def run_stack(
    home: Path,
    settings: Settings,
    *,
    prepare: Callable[[Settings], str],
    announce: Callable[[str], None],
) -> None:
    """Run everything until SIGTERM or Ctrl-C.

    Args:
        home: The stack's folder, made if it is new.
        settings: `port` is where the API listens; the addresses of servers that are
            given are used, the others are embedded.
        prepare: Brings the tables up to date and returns a token of an admin.
        announce: Told the URL when everything answers.

    Raises:
        StackProblem: A stack runs here already, or a part of it did not start.
    """
    place = open_home(home)
    with FileLock(place.lock) as lock, _stop_signals() as stop:
        _claim(place, lock)
        recover(place)
        with _listening(settings) as listener:
            Assembly(place, settings, listener, stop).run(prepare, announce)


def recover(home: Home) -> list[str]:
    """End what a stack that died without warning has left behind in this home.

    Processes are told by id and start time, never by name. Call it with the home's
    lock held alone.

    Returns:
        Names of the processes that were ended.
    """
    left: list[str] = []
    record = StackRecord.read(home)
    if record is not None:
        others = [child for child in record.children if child.name != "postgres"]
        left = end(others, signal.SIGTERM, grace=GRACE_SECONDS)
    home.record.unlink(missing_ok=True)
    postgres = EmbeddedPostgres(home)
    if postgres.running() is not None:
        postgres.stop()
        left.append("postgres")
    if left:
        logger.warning("ended what an earlier stack left: %s", ", ".join(left))
    return left


def _claim(home: Home, lock: FileLock) -> None:
    """Take the home for ourselves."""
    taken: list[bool] = []

    def settled() -> bool:
        if lock.alone():
            taken.append(True)
            return True
        return running_stack(home) is not None

    wait_until(settled, seconds=BUSY_SECONDS)
    if taken:
        return
    stack = running_stack(home)
    if stack is None:
        raise StackProblem(
            f"commands are using the database of {home.path}: "
            "try again when they are done"
        )
    raise StackProblem(
        f"a stack is {stack.state} in {home.path} already (process "
        f"{stack.supervisor.pid}): {stack.url or 'it has no address yet'}\n"
        f"Use that one, end it with `kill {stack.supervisor.pid}`, "
        "or choose another --home"
    )


@contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    """An event that SIGTERM, Ctrl-C and a closed terminal set."""
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, on_signal) for number in STOP_SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _listening(settings: Settings) -> Iterator[socket.socket]:
    """The API's port, opened here so that it stays ours while the API restarts."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, settings.port))
        except OSError as error:
            raise StackProblem(
                f"port {settings.port} of {settings.host} cannot be opened ({error}): "
                "choose another with --port, or --port 0 for any"
            ) from error
        listener.listen()
        yield listener
