"""Being a good guest: how often to ask, and how long to wait before asking again."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from al_service.errors import InvalidInput
from al_service.fetch.problems import FetchProblem, PassingProblem

LONGEST_WAIT_SECONDS: Final = 900.0
"""A server that wants more than this is down for the night: the command ends."""


@dataclass(frozen=True)
class Patience:
    """How often to try, and how long to wait in between."""

    tries: int = 6
    """Without progress; a download that moves on may break as often as it likes."""
    first_seconds: float = 1.0
    factor: float = 2.0
    longest_seconds: float = 60.0

    def seconds_before(self, retry: int, problem: PassingProblem) -> float:
        """How long to wait before a retry.

        Args:
            retry: 1 for the first.
            problem: why the last try failed; the server's own wish counts, if longer.

        Raises:
            FetchProblem: The tries are used up, or the server wants a long break.
        """
        if retry >= self.tries:
            raise FetchProblem(f"{problem} (tried {self.tries} times)")
        wished = problem.wait_seconds or 0.0
        if wished > LONGEST_WAIT_SECONDS:
            raise FetchProblem(
                f"{problem}; the server asks to be left alone for {wished:.0f} s: "
                "run the same command later"
            )
        grown = self.first_seconds * self.factor ** (retry - 1)
        return max(wished, min(grown, self.longest_seconds))


class Pace:
    """Requests start at least `1 / per_second` apart, whoever makes them.

    Not for several threads: one event loop, or one thread.
    """

    def __init__(
        self, per_second: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if not per_second > 0:
            raise InvalidInput(
                f"expected a positive number of requests per second, found {per_second}"
            )
        self._gap = 1.0 / per_second
        self._clock = clock
        self._free_at = clock()
        self._held_until = clock()

    def reserve(self) -> float:
        """Take the next free moment.

        Returns:
            Seconds until then.
        """
        now = self._clock()
        mine = max(now, self._free_at, self._held_until)
        self._free_at = mine + self._gap
        return mine - now

    def hold(self, seconds: float) -> None:
        """Nobody starts a request for a while: the server asked for it."""
        self._held_until = max(self._held_until, self._clock() + seconds)

    async def turn(self) -> None:
        """Wait for our moment; a break that began meanwhile costs us the place."""
        while True:
            await asyncio.sleep(self.reserve())
            if self._clock() >= self._held_until:
                return


def retry_after_seconds(
    header: str | None, now: datetime | None = None
) -> float | None:
    """What `Retry-After` says (RFC 9110, 10.2.3): seconds, or a date.

    Returns:
        Seconds from now, 0 for a date that has passed; None where nothing is said or
        nothing can be understood.
    """
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        until = parsedate_to_datetime(header)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - (now or datetime.now(UTC))).total_seconds())
