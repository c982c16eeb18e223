"""Rings for work that stands in the database; nothing is lost if nobody hears.

A message carries an id, never the work itself. It is sent after the commit, by
name, and it expires: the sweep rings again for whatever is still due.
"""

import logging
import time
from collections.abc import Mapping

from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from db.vocabulary import RunKind

TASKS = "workers.tasks"
TRAIN_QUEUE = "train"
SCORE_QUEUE = "score"

QUEUES: Mapping[RunKind, str] = {RunKind.FULL: TRAIN_QUEUE}
"""Where a kind of run is worked off, if it is not the score queue."""

PATIENCE_SECONDS = 0.5
"""A request waits no longer than this, twice at most, for a silent broker."""

MUTE_SECONDS = 5.0
"""After a failure the broker is left alone for so long: requests do not wait again."""

EXPIRES_SECONDS = 60.0
"""A message nobody heard in time is dropped: no backlog meets a worker's start."""

logger = logging.getLogger(__name__)


class Doorbell:
    """Sends tasks by name.

    Args:
        broker_url: The broker; without one every ring is silent, and the sweep finds
            the work.
    """

    def __init__(self, broker_url: str | None) -> None:
        self._muted_until = 0.0
        self._app: Celery | None = None
        if broker_url is not None:
            self._app = Celery("doorbell", broker=broker_url, set_as_current=False)
            self._app.conf.update(
                task_ignore_result=True,
                broker_transport_options={
                    "socket_connect_timeout": PATIENCE_SECONDS,
                    "socket_timeout": PATIENCE_SECONDS,
                    "max_retries": 0,
                },
            )

    def plan(self, campaign_id: int) -> None:
        """A campaign has new labels: is a run due?"""
        self._ring("plan", campaign_id, queue=SCORE_QUEUE)

    def run(self, run_id: int, kind: RunKind) -> None:
        """A run is planned."""
        queue = QUEUES.get(kind, SCORE_QUEUE)
        self._ring("train" if queue == TRAIN_QUEUE else "score", run_id, queue=queue)

    def scan(self, pool_id: int) -> None:
        """A pool has spectra that were not scanned; what trains on them comes after."""
        self._ring("scan", pool_id, queue=TRAIN_QUEUE)

    def trouble(self) -> str | None:
        """Why nobody would hear a ring; None where the broker answers."""
        if self._app is None:
            return "no broker is set: AL_BROKER_URL, or start the stack with al up"
        try:
            with self._app.connection_for_write(
                connect_timeout=PATIENCE_SECONDS
            ) as connection:
                connection.ensure_connection(max_retries=1, interval_start=0)
        except (OperationalError, OSError, RedisError) as error:
            logger.warning("the broker cannot be reached: %s", error)
            return f"cannot be reached ({type(error).__name__})"
        return None

    def close(self) -> None:
        """Give the connections back."""
        if self._app is not None:
            self._app.close()

    def _ring(self, task: str, *ids: int, queue: str) -> None:
        if self._app is None or time.monotonic() < self._muted_until:
            return
        try:
            self._app.send_task(
                f"{TASKS}.{task}",
                args=ids,
                queue=queue,
                expires=EXPIRES_SECONDS,
                retry=False,
            )
        except (OperationalError, OSError) as error:
            self._muted_until = time.monotonic() + MUTE_SECONDS
            logger.warning(
                "%s%s: the broker cannot be reached (%s); the sweep will find the work",
                task,
                ids,
                error,
            )
