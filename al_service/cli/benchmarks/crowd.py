"""A crowd of labelers, each on its own clock: an open loop.

A request that is due is late from that moment on, whether or not the server has let
the labeler send it: a closed loop would wait politely and measure nothing
("coordinated omission", Tene 2013).
"""

import http.client
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

PERIOD_SECONDS: Final = 1.0
"""One ask per labeler and second: more than people do."""

TIMEOUT_SECONDS: Final = 30.0

_HEAD_START_SECONDS = 0.5


@dataclass(frozen=True)
class Request:
    """A POST."""

    path: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """What came back, and when."""

    status: int
    """0 where nothing came."""
    body: bytes
    latency: float
    """Seconds from the moment the request was due."""
    late: float
    """Seconds by which the crowd itself was late in sending it."""
    turn: int


def let_them_ask(
    port: int,
    request_of: Callable[[int, int], Request],
    *,
    labelers: int,
    turns: int,
    seed: int = 0,
) -> list[Answer]:
    """Let every labeler ask once a second, at a moment of the second of its own.

    Args:
        port: of a server on this machine.
        request_of: what a labeler sends in a turn.
        labelers: how many threads, each with one connection.
        turns: how many seconds.
        seed: of the moments.
    """
    phases = np.random.default_rng(seed).uniform(0.0, PERIOD_SECONDS, labelers)
    start = time.perf_counter() + _HEAD_START_SECONDS

    def labeler(number: int) -> list[Answer]:
        dues = [start + phases[number] + turn * PERIOD_SECONDS for turn in range(turns)]
        return _keep_asking(port, dues, lambda turn: request_of(number, turn))

    with ThreadPoolExecutor(labelers) as threads:
        return [one for part in threads.map(labeler, range(labelers)) for one in part]


def latencies_ms(answers: Sequence[Answer]) -> dict[str, float]:
    """Percentiles of the latency in milliseconds."""
    milliseconds = 1e3 * np.array([answer.latency for answer in answers])
    return {
        "p50": _percentile(milliseconds, 50),
        "p99": _percentile(milliseconds, 99),
        "max": _percentile(milliseconds, 100),
    }


def lateness_ms(answers: Sequence[Answer]) -> float:
    """99 % of the requests left at most so late: how far the crowd can be trusted."""
    return _percentile(1e3 * np.array([answer.late for answer in answers]), 99)


def _percentile(values: NDArray[np.float64], percent: int) -> float:
    # A latency that was observed, not one between two.
    return float(np.percentile(values, percent, method="higher"))


def _keep_asking(
    port: int, dues: Sequence[float], request_of: Callable[[int], Request]
) -> list[Answer]:
    """One labeler's asks, one after the other, over one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    connection.connect()  # a labeler's first ask pays for no handshake either
    try:
        return [
            _ask(connection, request_of(turn), turn=turn, due=due)
            for turn, due in enumerate(dues)
        ]
    finally:
        connection.close()


def _ask(
    connection: http.client.HTTPConnection, request: Request, *, turn: int, due: float
) -> Answer:
    time.sleep(max(0.0, due - time.perf_counter()))
    late = time.perf_counter() - due
    try:
        connection.request("POST", request.path, request.body, dict(request.headers))
        response = connection.getresponse()
        status, body = response.status, response.read()
    except (OSError, http.client.HTTPException):
        connection.close()  # the next request opens it again
        status, body = 0, b""
    return Answer(status, body, time.perf_counter() - due, late, turn)
