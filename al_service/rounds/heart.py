"""The heartbeat of long work: shows that its worker lives, and hears when to stop.

The heart beats in a thread with its own connection, so that work is never taken up
by somebody else because one matrix product took long.
"""

import logging
import threading
from collections.abc import Callable
from enum import StrEnum
from types import TracebackType
from typing import Self

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from al_service.rounds.claiming import BeatAnswer

Beat = Callable[[Session, float], BeatAnswer]
"""Writes a heartbeat and the finished share, and answers whether to go on."""

logger = logging.getLogger(__name__)


class Stop(StrEnum):
    """Why work ended early."""

    CANCELED = "canceled"  # somebody asked for it
    DEADLINE = "deadline"  # the run took too long
    LOST = "lost"  # another worker has it now
    SHUTDOWN = "shutdown"  # this process was told to end


_STOPS = {
    BeatAnswer.CANCELED: Stop.CANCELED,
    BeatAnswer.DEADLINE: Stop.DEADLINE,
    BeatAnswer.LOST: Stop.LOST,
}


class Heart:
    """Beats the row of claimed work for as long as the block lasts."""

    def __init__(
        self,
        beat: Beat,
        *,
        of: str,
        sessions: sessionmaker[Session],
        every_seconds: float,
        shutting_down: Callable[[], bool],
    ) -> None:
        """Prepare a heart that does not beat yet.

        Args:
            beat: writes into the row of what was claimed.
            of: what that is, for people.
            sessions: makes a session of the heart's own for every beat.
            every_seconds: time between beats.
            shutting_down: whether this process was told to end.
        """
        self._beat_row = beat
        self._of = of
        self._sessions = sessions
        self._every_seconds = every_seconds
        self._shutting_down = shutting_down
        self._progress = 0.0
        self._heard: Stop | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(
            target=self._live, name=f"heart of {of}", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def should_stop(self) -> bool:
        """Whether the work must end: asked every few batches."""
        return self.stop is not None

    @property
    def stop(self) -> Stop | None:
        """Why the work must end; None while it may go on."""
        if self._heard is not None:
            return self._heard
        return Stop.SHUTDOWN if self._shutting_down() else None

    def progress(self, share: float) -> None:
        """Remember the finished share; the next beat writes it."""
        self._progress = min(max(share, 0.0), 1.0)

    def stage(self, start: float, end: float) -> Callable[[float], None]:
        """Progress of a stage that spans a part of the whole."""
        return lambda share: self.progress(start + (end - start) * share)

    def _live(self) -> None:
        # Also after an answer: until the work has really ended nobody else may take
        # it up.
        while not self._over.wait(self._every_seconds):
            self._beat()

    def _beat(self) -> None:
        try:
            with self._sessions.begin() as session:
                answer = self._beat_row(session, self._progress)
        except SQLAlchemyError as error:
            # A database that is away for a moment must not end hours of training;
            # if it stays away, the fence protects whoever takes the run up.
            logger.warning("%s: no heartbeat: %s", self._of, error)
            return
        if self._heard is None:
            self._heard = _STOPS.get(answer)
