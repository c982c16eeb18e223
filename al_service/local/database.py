"""A database for one command: the running stack's, or one for its own duration."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from al_service.errors import StackProblem
from al_service.local.home import Home, open_home
from al_service.local.locks import FileLock, one_at_a_time
from al_service.local.postgres import START_SECONDS, EmbeddedPostgres
from al_service.local.processes import wait_until
from al_service.local.record import StackRecord, StackState, running_stack
from al_service.settings import Settings

PATIENCE_SECONDS = 60.0
"""How long a command waits for a stack that is starting or stopping."""


@contextmanager
def database_for(
    home: Path, settings: Settings, *, upgrade: Callable[[Settings], None]
) -> Iterator[Settings]:
    """Settings with which a command can work on the database of `home`.

    In order: the server that `AL_DATABASE_URL` names; the stack that runs in this
    home; the home's own PostgreSQL, started if nobody uses it yet, and stopped
    by the last command that does.

    Args:
        home: The folder, made if it is new.
        settings: What the environment says.
        upgrade: Brings the tables of the embedded database up to date.

    Yields:
        The settings with `database_url`, `artifacts` and, if there is a broker,
        `broker_url` filled in.
    """
    place = open_home(home)
    settings = settings.model_copy(
        update={"home": place.path, "artifacts": artifacts_of(place, settings)}
    )
    if settings.database_url is not None:
        yield settings
        return
    with FileLock(place.lock) as lock:
        stack = _join(place, lock)
        if stack is not None:
            yield stack.settings(settings)
            return
        server = EmbeddedPostgres(place)
        with one_at_a_time(place.doorway, seconds=START_SECONDS):
            started = settings.model_copy(update={"database_url": server.url})
            if server.running() is None or not server.ready():
                server.stop()  # one that runs and does not answer
                server.start_and_wait()
            upgrade(started)
        try:
            yield started
        finally:
            _leave(place, lock, server)


def artifacts_of(home: Home, settings: Settings) -> Path:
    """Absolute folder of arrays and checkpoints, made if it is new."""
    folder = settings.artifacts or home.path / "artifacts"
    folder = folder.expanduser().resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _join(home: Home, lock: FileLock) -> StackRecord | None:
    """Wait until there is a stack to use, or none and the lock is shared with us."""
    joined: list[StackRecord | None] = []

    def settled() -> bool:
        if lock.shared():
            joined.append(None)
            return True
        stack = running_stack(home)
        if stack is not None and stack.state is StackState.READY:
            joined.append(stack)
            return True
        return False

    if not wait_until(settled, seconds=PATIENCE_SECONDS):
        raise StackProblem(
            f"a stack in {home.path} has been starting or stopping for "
            f"{PATIENCE_SECONDS:.0f} s: see {home.logs}"
        )
    return joined[0]


def _leave(home: Home, lock: FileLock, server: EmbeddedPostgres) -> None:
    """Stop the server unless another command still uses it."""
    with one_at_a_time(home.doorway, seconds=START_SECONDS):
        if lock.alone():
            server.stop()
            home.drop_sockets()
