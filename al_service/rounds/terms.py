"""What decides an order beside the queue, the features and the last layer."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from al_service.acquisition.strategies import StrategyConfig
from al_service.rounds.assignment import Assignment
from al_service.survey.pool_arrays import PoolArrays


@dataclass(frozen=True)
class Terms:
    """Of one order, whenever it is made."""

    arrays: PoolArrays
    strategy: StrategyConfig
    seed: int
    """The run's own."""
    size: int
    """How many places at most."""
    chunk: int
    """Objects read at a time."""
    should_stop: Callable[[], bool]
    scans: Path
    """Folder of the redshift scans of pools, for guards that ask them."""


def terms_of(assignment: Assignment) -> Terms:
    """What decides the order of a run."""
    settings = assignment.place.settings
    return Terms(
        assignment.arrays,
        assignment.subject.strategy,
        assignment.subject.seed,
        settings.ranking_size,
        settings.score_chunk,
        assignment.heart.should_stop,
        assignment.artifacts.scans,
    )
