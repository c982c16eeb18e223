"""A measurement in a process of its own, so that its largest memory is that of it."""

import multiprocessing
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import ParamSpec

from al_service.studies.speed.measuring import Budget, Fact, Measurement

Given = ParamSpec("Given")


@dataclass(frozen=True)
class Seen:
    """What a process saw of its work and of its peer's."""

    seconds: float
    bare_seconds: float
    """Of its peer."""
    started_mb: float
    """Largest memory before the work began."""
    peak_mb: float
    objects: int
    facts: Mapping[str, Fact]


def alone(
    work: Callable[Given, Seen], *args: Given.args, **kwargs: Given.kwargs
) -> Seen:
    """Let a new process work that has nothing of ours in its memory."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context) as process:
        return process.submit(work, *args, **kwargs).result()


def memory_row(
    benchmark: str,
    what: str,
    whole: Seen,
    part: Seen,
    *,
    begun: str,
    budget: Budget | None = None,
) -> Measurement:
    """The largest memory beside that of a smaller part: what grows shows.

    Args:
        benchmark: its name.
        what: was worked on.
        whole: seen with all of it.
        part: seen with less.
        begun: the work, as in "before_…_mb".
        budget: for the whole.
    """
    more = (whole.peak_mb - part.peak_mb) * 1e6
    return Measurement(
        benchmark=benchmark,
        what=f"largest memory, {what}",
        unit="MB",
        ours=whole.peak_mb,
        peer=f"the same with {part.objects:,} objects",
        theirs=part.peak_mb,
        budget=budget or Budget(),
        facts={
            f"before_{begun}_mb": whole.started_mb,
            "bytes_more_per_object": more / (whole.objects - part.objects),
        },
    )
