"""The schedule: sweeps every few seconds, for as long as it lives.

In a process of its own, past every queue: a scoring run that takes an hour delays no
lease that expires. Two schedules do no harm: a sweep is safe to run twice at once.
"""

import logging
import signal
import threading
from types import FrameType

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from al_service.rounds.doorbell import Doorbell
from al_service.rounds.readiness import PULSE, SCHEDULE, worker_seen
from al_service.rounds.sweeping import sweep
from al_service.settings import Settings
from workers import lifecycle

logger = logging.getLogger(__name__)


def keep(
    settings: Settings,
    *,
    sessions: sessionmaker[Session],
    doorbell: Doorbell,
    stop: threading.Event,
) -> None:
    """Sweep until `stop` is set; a sweep that fails is tried again at its next time.

    Args:
        settings: how often, and where the pulse is.
        sessions: makes the sweep's transactions.
        doorbell: rung for what the sweep finds.
        stop: set by a signal handler.
    """
    pulse = settings.home / PULSE
    logger.info("a sweep every %.1f s", settings.sweep_seconds)
    while not stop.is_set():
        try:
            sweep(sessions=sessions, doorbell=doorbell, settings=settings)
            with sessions.begin() as session:
                worker_seen(session, lifecycle.worker_name(), SCHEDULE)
            pulse.parent.mkdir(parents=True, exist_ok=True)
            pulse.touch()
        except SQLAlchemyError as error:
            logger.warning("this sweep failed, the next one comes: %s", error)
        except Exception:  # a full disk, a row that cannot be read: not the end of it
            logger.exception("this sweep failed, the next one comes")
        stop.wait(settings.sweep_seconds)


def main() -> None:
    """Keep the schedule until SIGTERM or Ctrl-C.

    Raises:
        ValueError: there is no database to sweep, or no broker to ring at.
    """
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    settings = lifecycle.settings()
    if settings.broker_url is None:
        raise ValueError("the schedule needs AL_BROKER_URL")
    doorbell = lifecycle.doorbell()
    try:
        keep(settings, sessions=lifecycle.sessions(), doorbell=doorbell, stop=stop)
    finally:
        doorbell.close()
