"""The schedule: rings for a sweep every few seconds, for as long as it lives.

It knows nothing about work. Two schedules do no harm: a sweep is safe to run twice.
"""

import logging
import signal
import threading
from types import FrameType

from al_service.rounds.doorbell import Doorbell
from al_service.settings import Settings

PULSE = "schedule.pulse"
"""File in the home, touched by every turn: how a health check sees the schedule."""

MISSED_SWEEPS = 2
"""A sweep that no worker has taken up after so many periods is dropped."""

logger = logging.getLogger(__name__)


def keep(settings: Settings, stop: threading.Event) -> None:
    """Ring until `stop` is set.

    Raises:
        ValueError: There is no broker to ring at.
    """
    if settings.broker_url is None:
        raise ValueError("the schedule needs AL_BROKER_URL")
    bell = Doorbell(settings.broker_url)
    pulse = settings.home / PULSE
    pulse.parent.mkdir(parents=True, exist_ok=True)
    logger.info("a sweep every %.1f s", settings.sweep_seconds)
    try:
        while not stop.is_set():
            bell.sweep(expires=MISSED_SWEEPS * settings.sweep_seconds)
            pulse.touch()
            stop.wait(settings.sweep_seconds)
    finally:
        bell.close()


def main() -> None:
    """Keep the schedule until SIGTERM or Ctrl-C."""
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    keep(Settings(), stop)
