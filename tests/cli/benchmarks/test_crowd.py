import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from al_service.cli.benchmarks.crowd import (
    PERIOD_SECONDS,
    Answer,
    Request,
    latencies_ms,
    let_them_ask,
)

ASKED = Request("/ask", b"{}", {"Content-Type": "application/json"})


CLOCK_SECONDS = 0.05
"""Timers may be early by a few ticks."""


class _Quiet(BaseHTTPRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        del code, size


class _Refuses(_Quiet):
    def do_POST(self) -> None:
        self.send_response(503)
        self.end_headers()


class _HangsUp(_Quiet):
    def do_POST(self) -> None:
        self.close_connection = True


HELD_SECONDS = 1.5
"""Longer than the second between two asks of one labeler."""


class _HoldsTheFirst(_Quiet):
    """Lets its first visitor wait until a timer has opened the gate."""

    protocol_version = "HTTP/1.1"
    gate = threading.Event()

    def do_POST(self) -> None:
        opener = threading.Timer(HELD_SECONDS, self.gate.set)
        opener.start()
        self.rfile.read(int(self.headers["Content-Length"]))
        self.gate.wait(timeout=60)
        opener.join()
        self.send_response(201)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """A server of these answers on a port of its own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    worker = threading.Thread(target=server.serve_forever, daemon=True)
    worker.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        worker.join()
        server.server_close()


def test_an_ask_that_waits_behind_a_slow_one_is_late_from_the_moment_it_was_due() -> (
    None
):
    _HoldsTheFirst.gate.clear()
    with serving(_HoldsTheFirst) as port:
        first, second = let_them_ask(port, lambda *_: ASKED, labelers=1, turns=2)
    assert (first.status, second.status) == (201, 201)
    assert (first.turn, second.turn) == (0, 1)
    assert first.latency >= HELD_SECONDS
    # The second could not be sent when it was due: a closed loop would not count that.
    assert second.late >= HELD_SECONDS - PERIOD_SECONDS - CLOCK_SECONDS
    assert second.latency >= second.late


def test_whoever_is_refused_or_gets_no_answer_is_counted_and_not_dropped() -> None:
    with serving(_Refuses) as port:
        refused = let_them_ask(port, lambda *_: ASKED, labelers=3, turns=1)
    with serving(_HangsUp) as port:
        unanswered = let_them_ask(port, lambda *_: ASKED, labelers=2, turns=2)
    assert [answer.status for answer in refused] == [503] * 3
    assert [answer.status for answer in unanswered] == [0] * 4


def test_the_largest_latency_is_one_that_was_seen() -> None:
    answers = [Answer(201, b"", 0.001 * n, 0.0, 0) for n in range(1, 101)]
    found = latencies_ms(answers)
    assert found["max"] == pytest.approx(100.0)
    assert found["p99"] == pytest.approx(100.0)
    assert found["p50"] == pytest.approx(51.0)
