"""The Celery app: settings only, nothing is connected or built at import."""

from typing import Any

from celery import Celery, Task
from kombu.entity import Queue

from al_service.rounds.doorbell import SCORE_QUEUE, TASKS, TRAIN_QUEUE
from al_service.settings import Settings

BEYOND_THE_DEADLINE_SECONDS = 3600.0
"""A message is delivered again only long after the run it stands for has ended."""


def configuration() -> dict[str, Any]:  # Any: Celery's settings are of all types
    """Celery's settings, read from ours when the app is first used.

    Raises:
        ValueError: There is no broker to work for.
    """
    settings = Settings()
    if settings.broker_url is None:
        raise ValueError("a worker needs AL_BROKER_URL: redis://… or redis+socket://…")
    return {
        "broker_url": settings.broker_url,
        "broker_transport_options": {
            "visibility_timeout": settings.run_deadline_seconds
            + BEYOND_THE_DEADLINE_SECONDS,
            "socket_keepalive": True,
            "health_check_interval": 25,
        },
        # A broker that is away comes back: keep trying, whatever it takes.
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        # The default exchange routes by queue name alone: no bindings that a flushed
        # broker would forget.
        "task_queues": [_queue(TRAIN_QUEUE), _queue(SCORE_QUEUE)],
        "task_default_queue": SCORE_QUEUE,
        "task_create_missing_queues": False,
        "task_routes": {
            f"{TASKS}.{name}": {"queue": TRAIN_QUEUE} for name in ("train", "scan")
        },
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_ignore_result": True,
        "result_backend": None,
        # A task is done when it has returned. One that died with its worker comes
        # back; the attempts counted in its run's row end the loop.
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "worker_prefetch_multiplier": 1,
        # The database knows which workers live and what they do.
        "worker_enable_remote_control": False,
        "worker_send_task_events": False,
        "worker_hijack_root_logger": True,
        "worker_log_format": "%(asctime)s %(levelname)s %(name)s: %(message)s",
        "worker_task_log_format": "%(asctime)s %(levelname)s %(name)s: %(message)s",
        "enable_utc": True,
        "timezone": "UTC",
    }


def _queue(name: str) -> Queue:
    return Queue(name)  # type: ignore[no-untyped-call] # kombu's entities are untyped


class HonestTask(Task):  # type: ignore[misc] # Celery ships no types
    """A task whose worker notices that it could not acknowledge the message."""

    Request = "workers.requests:HonestRequest"


app = Celery(
    "workers", task_cls=HonestTask, include=["workers.tasks", "workers.lifecycle"]
)
app.add_defaults(configuration)
