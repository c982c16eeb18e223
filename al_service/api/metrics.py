"""Prometheus series: what passes through the door, and where the loop stands."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from al_service.rounds.monitoring import LoopState, Snapshot

SECONDS_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
"""The budget of an ask is 50 ms: the buckets are fine around it."""

FRESH_SECONDS: Final = 5.0
"""One look at the database serves every scrape within this time."""

COST_FACTOR: Final = 50.0
"""A look that takes a second serves for so many: counting a million candidates takes
2 % of one connection, however often somebody scrapes."""

UNKNOWN_ROUTE: Final = "(none)"
"""Paths that no route serves share one series: strangers cannot make new ones."""


COUNTERS: Final = {
    "al_http_requests": ("HTTP requests answered", ("method", "route", "status")),
    "al_asks": ("Batches handed out", ("campaign",)),
    "al_objects_handed_out": ("Objects handed out, by reason", ("campaign", "reason")),
    "al_tells": ("Submissions of labels stored", ("campaign",)),
    "al_labels_told": ("Labels stored by this process", ("campaign",)),
}
"""Series that only grow: what each counts, and by what."""


class Metrics:
    """The series of one application; nothing global."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.seconds = Histogram(
            "al_http_request_seconds",
            "Time to answer an HTTP request",
            ["method", "route"],
            buckets=SECONDS_BUCKETS,
            registry=self.registry,
        )
        self.counters = {
            name: Counter(name, what, by, registry=self.registry)
            for name, (what, by) in COUNTERS.items()
        }

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count and time a request."""
        self.counters["al_http_requests"].labels(method, route, str(status)).inc()
        self.seconds.labels(method, route).observe(seconds)

    def asked(self, campaign: str, reasons: Sequence[str]) -> None:
        """Count a batch that was handed out."""
        self.counters["al_asks"].labels(campaign).inc()
        for reason in reasons:
            self.counters["al_objects_handed_out"].labels(campaign, reason).inc()

    def told(self, campaign: str, labels: int) -> None:
        """Count labels that were stored."""
        self.counters["al_tells"].labels(campaign).inc()
        self.counters["al_labels_told"].labels(campaign).inc(labels)


class LoopCollector(Collector):
    """Series that are read from the database when somebody scrapes.

    Args:
        read: one look at the database.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        read: Callable[[], Snapshot],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._clock = clock
        self._one_at_a_time = threading.Lock()
        self._last: Snapshot | None = None
        self._good_until = 0.0

    def describe(self) -> list[Metric]:
        """Nothing: registering must not ask the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """One sample per campaign and state."""
        snapshot = self._fresh()
        states = snapshot.campaigns
        yield _by_state(
            "al_candidates", "Candidates", states, lambda one: one.candidates
        )
        yield _by_state("al_runs", "Runs", states, lambda one: one.runs)
        yield _by_state("al_leases", "Query batches", states, lambda one: one.leases)
        labels = GaugeMetricFamily(
            "al_labels", "Labels in the database", labels=["campaign"]
        )
        age = GaugeMetricFamily(
            "al_last_published_run_age_seconds",
            "Time since a run was last published",
            labels=["campaign"],
        )
        for one in states:
            labels.add_metric([one.campaign], one.labels)
            if one.last_run_age_seconds is not None:
                age.add_metric([one.campaign], one.last_run_age_seconds)
        yield labels
        yield age
        seen = GaugeMetricFamily(
            "al_worker_seen_age_seconds",
            "Time since a worker of this queue showed itself",
            labels=["queue"],
        )
        for queue, seconds in snapshot.worker_ages.items():
            seen.add_metric([queue], seconds)
        yield seen

    def _fresh(self) -> Snapshot:
        with self._one_at_a_time:  # scrapes together look once
            began = self._clock()
            if self._last is None or began > self._good_until:
                self._last = self._read()
                ended = self._clock()
                cost = ended - began
                self._good_until = ended + max(FRESH_SECONDS, COST_FACTOR * cost)
            return self._last


class Measured:
    """ASGI middleware: counts and times every request by its route."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and note how it was answered."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noting)
        finally:
            route = _route_of(scope)
            method = scope["method"] if route != UNKNOWN_ROUTE else "*"
            seconds = time.perf_counter() - started
            self.metrics.answered(method, route, status, seconds)


def _route_of(scope: Scope) -> str:
    """The route's template, such as `/api/v1/batches/{batch_id}`."""
    route = scope.get("route")
    return getattr(route, "path", UNKNOWN_ROUTE)


def _by_state(
    name: str,
    what: str,
    states: Sequence[LoopState],
    counts: Callable[[LoopState], Mapping[str, int]],
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(
        name, f"{what} by campaign and state", labels=["campaign", "state"]
    )
    for one in states:
        for state, count in counts(one).items():
            family.add_metric([one.campaign, state], count)
    return family
