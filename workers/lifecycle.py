"""What a worker process holds while it lives: settings, connections, the way to stop.

Nothing is built at import: a forked pool must not share connections or a GPU with
its parent.
"""

import logging
import os
import socket
import threading
from functools import cache
from pathlib import Path
from typing import Any

from celery import signals
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from al_service.rounds.doorbell import Doorbell
from al_service.rounds.ownership import own_artifacts
from al_service.rounds.readiness import worker_seen
from al_service.settings import Settings
from db.repositories.identity import database_identity
from db.session import create_database_engine, create_sessions

SHOWN_PER_TIMEOUT = 3
"""A worker shows itself this often within the time after which it counts as gone."""

logger = logging.getLogger(__name__)

_stopping = threading.Event()


@cache
def settings() -> Settings:
    """The settings of this process."""
    return Settings()


@cache
def sessions() -> sessionmaker[Session]:
    """Sessions on this process's own connections.

    Raises:
        ValueError: No database is set.
    """
    url = settings().database_url
    if url is None:
        raise ValueError("a worker needs AL_DATABASE_URL: postgresql+psycopg://…")
    return create_sessions(create_database_engine(url, pool_size=3))


@cache
def doorbell() -> Doorbell:
    """Rings for runs that this process has planned."""
    return Doorbell(settings().broker_url)


@cache
def artifacts() -> Path:
    """Folder of arrays and checkpoints, which belongs to this database alone.

    Raises:
        ForeignArtifacts: another database has it.
    """
    folder = settings().artifacts_folder
    with sessions().begin() as session:
        ours = database_identity(session)
    own_artifacts(folder, ours)
    return folder


@cache
def worker_name() -> str:
    """This process, as it signs claims and shows itself."""
    return f"{socket.gethostname()}:{os.getpid()}"


def stopping() -> bool:
    """Whether this process was told to end: long work stops at its next batch."""
    return _stopping.is_set()


@signals.worker_process_init.connect  # type: ignore[untyped-decorator] # Celery ships no types
def forget_the_parent(**_: object) -> None:
    """A forked child builds its own connections; in a solo pool nothing exists yet."""
    for held in (sessions, doorbell, worker_name):
        held.cache_clear()


@signals.worker_ready.connect  # type: ignore[untyped-decorator] # Celery ships no types
def show_ourselves(sender: Any, **_: object) -> None:  # Any: Celery's consumer
    """Tell the database from now on that this worker lives, while it works as well."""
    queue = str(sender.hostname).partition("@")[0]
    threading.Thread(
        target=_keep_showing, args=(queue,), name="worker-seen", daemon=True
    ).start()


@signals.after_setup_logger.connect  # type: ignore[untyped-decorator] # Celery ships no types
def be_quiet_about_every_message(**_: object) -> None:
    """A head run may come with every label: only failures are worth a line."""
    for name in ("celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(name).setLevel(logging.WARNING)


@signals.worker_shutting_down.connect  # type: ignore[untyped-decorator] # Celery ships no types
def remember_to_stop(**_: object) -> None:
    """Runs in the signal handler, in the middle of whatever the worker does."""
    _stopping.set()


def _keep_showing(queue: str) -> None:
    name = worker_name()
    while True:
        try:
            with sessions().begin() as session:
                worker_seen(session, name, queue)
        except SQLAlchemyError as error:
            logger.warning("worker %s cannot show itself: %s", name, error)
        if _stopping.wait(settings().worker_seen_seconds / SHOWN_PER_TIMEOUT):
            return
