"""A measurement beside its peer: the same work at its barest, in the same minute.

Seconds depend on the machine and on who else uses it; the ratio of two things that
were timed in turns does so much less.
"""

import resource
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import numpy as np

Ours = TypeVar("Ours")
Theirs = TypeVar("Theirs")

STATUS: Final = Path("/proc/self/status")

Fact = float | int | bool | str | None

DIGITS: Final = 6
"""Significant digits in a report: a clock has no more to say."""


class Size(StrEnum):
    """How much is measured."""

    SMALL = "small"  # seconds: shows that everything works, says little about speed
    FULL = "full"  # the sizes of the budgets


@dataclass(frozen=True)
class Budget:
    """What is allowed; shown beside a measurement, never asserted."""

    at_most: float | None = None
    """In the measurement's unit, on two cores that nobody else uses."""
    ratio: float | None = None
    """Against the peer, on any machine."""


@dataclass(frozen=True)
class Measurement:
    """One figure beside that of its peer."""

    benchmark: str
    what: str
    unit: str
    ours: float
    peer: str
    """What it is compared with."""
    theirs: float | None
    budget: Budget = Budget()
    facts: Mapping[str, Fact] = field(default_factory=dict)
    """What else was seen: spreads, counts, and whether the results are right."""

    @property
    def ratio(self) -> float | None:
        """Ours over theirs: below 1 is better than the peer."""
        return self.ours / self.theirs if self.theirs else None

    def as_json(self) -> dict[str, Any]:  # Any: JSON
        """The measurement as plain numbers, rounded to what they are worth."""
        plain = asdict(self) | {"ratio": self.ratio, "facts": dict(self.facts)}
        rounded: dict[str, Any] = _rounded(plain)  # Any: JSON
        return rounded


@dataclass(frozen=True)
class Timing:
    """Repeated times of one thing, in seconds."""

    walls: tuple[float, ...]
    processor: float
    """Median processor time, all threads together: hardly depends on who else runs."""

    @property
    def seconds(self) -> float:
        """The median."""
        return statistics.median(self.walls)

    def facts(self, prefix: str = "") -> dict[str, Fact]:
        """How far the times spread."""
        return {
            f"{prefix}repeats": len(self.walls),
            f"{prefix}fastest_s": min(self.walls),
            f"{prefix}slowest_s": max(self.walls),
            f"{prefix}processor_s": self.processor,
        }


@dataclass(frozen=True)
class SideBySide(Generic[Ours, Theirs]):
    """Two things timed in turns, with their last results."""

    ours: Timing
    theirs: Timing
    our_result: Ours
    their_result: Theirs

    def facts(self) -> dict[str, Fact]:
        """How far the times of both spread."""
        return self.ours.facts() | self.theirs.facts("peer_")


def side_by_side(
    ours: Callable[[], Ours],
    theirs: Callable[[], Theirs],
    *,
    repeats: int,
    warm_up: bool = True,
) -> SideBySide[Ours, Theirs]:
    """Time two things in turns, so that whatever else runs disturbs both alike.

    Args:
        ours: what is measured.
        theirs: its peer.
        repeats: how often each; the median counts.
        warm_up: run each once before: first calls pay for pages and thread pools.
    """
    if warm_up:
        ours()
        theirs()
    our_times: list[tuple[float, float]] = []
    their_times: list[tuple[float, float]] = []
    for _ in range(repeats):
        our_time, our_result = timed(ours)
        their_time, their_result = timed(theirs)
        our_times.append(our_time)
        their_times.append(their_time)
    return SideBySide(timing(our_times), timing(their_times), our_result, their_result)


def timed(work: Callable[[], Ours]) -> tuple[tuple[float, float], Ours]:
    """Wall and processor seconds of one call, and its result."""
    wall, processor = time.perf_counter(), time.process_time()
    result = work()
    return (time.perf_counter() - wall, time.process_time() - processor), result


def timing(times: list[tuple[float, float]]) -> Timing:
    """Wall and processor seconds of several calls, summed up."""
    walls, processors = zip(*times, strict=True)
    return Timing(tuple(walls), statistics.median(processors))


def peak_mb() -> float:
    """The largest memory of this process so far."""
    if STATUS.is_file():
        # What getrusage says on Linux includes the process that started this one.
        words = STATUS.read_text().partition("VmHWM:")[2].split()
        return float(words[0]) / 1e3
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # macOS counts bytes, others kilobytes.
    return largest / 1e6 if sys.platform == "darwin" else largest / 1e3


def _rounded(value: Any) -> Any:  # Any: JSON
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None
    return value
