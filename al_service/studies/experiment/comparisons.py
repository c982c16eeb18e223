"""What several modalities give over the best system that looks at one."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from al_service.studies.experiment.system import Family
from al_service.studies.experiment.table import Line

Json = dict[str, Any]  # Any: JSON


@dataclass(frozen=True)
class Comparison:
    """One line of the table against the best system of one modality."""

    system: str
    inputs: tuple[str, ...]
    """At test time."""
    hides: bool
    """Whether the system was trained to look at more."""
    target: str
    error: float
    """Mean over seeds of what `ratio_metric` names."""
    best_single: str
    """The system of least mean error among those that see one of `inputs`, chosen on
    the test objects themselves: that favors the peer."""
    best_single_error: float
    ratio: float | None
    """Of both means; None where the peer makes no error."""
    ratio_range: tuple[float, float] | None
    """Smallest and largest ratio under any seed."""
    ceiling: float | None
    """Error of who knew the latents."""

    @property
    def bound(self) -> float | None:
        """The ratio of who knew the latents."""
        return (
            None if self.ceiling is None else over(self.ceiling, self.best_single_error)
        )

    def as_json(self) -> Json:
        """Its fields."""
        return asdict(self)


def comparisons(lines: Sequence[Line]) -> list[Comparison]:
    """What the table must show, as ratios of errors within one run.

    For every system that looks at several modalities, per target: its error over that
    of the best system that looks at one; the same with modalities hidden, over the
    best system of what is left. The floor and the ceiling compare with nobody; the
    ceiling's own error stands beside every ratio.
    """
    ceilings = {
        line.target: line.error for line in lines if line.family is Family.CEILING
    }
    return [
        _against(line, min(peers, key=lambda peer: peer.error), ceilings)
        for line in lines
        if (line.hides or len(line.inputs) > 1) and math.isfinite(line.error)
        for peers in [list(_peers(lines, line))]
        if peers
    ]


def over(error: float, other: float) -> float | None:
    """A ratio of errors; None over one that makes none."""
    return error / other if other > 0.0 else None


def _against(line: Line, best: Line, ceilings: dict[str, float]) -> Comparison:
    ratios = [
        ratio
        for seed, error in line.errors.items()
        for ratio in [over(error, best.errors.get(seed, 0.0))]
        if ratio is not None
    ]
    return Comparison(
        line.system,
        line.inputs,
        line.hides,
        line.target,
        line.error,
        best.system,
        best.error,
        over(line.error, best.error),
        (min(ratios), max(ratios)) if ratios else None,
        ceilings.get(line.target),
    )


def _peers(lines: Sequence[Line], line: Line) -> Iterator[Line]:
    """Systems of one modality that the line has at test time, too."""
    for other in lines:
        if (
            other.target == line.target
            and not other.hides
            and len(other.inputs) == 1
            and set(other.inputs) <= set(line.inputs)
            and other.family is not Family.CEILING
            and math.isfinite(other.error)
        ):
            yield other
