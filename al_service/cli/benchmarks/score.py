"""The features of a whole pool, read from disk in chunks and cached on disk.

Measured in a process of its own, so that its largest memory is that of scoring.
"""

from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

import torch

from al_service.cli.benchmarks.alone import Seen, alone, memory_row
from al_service.cli.benchmarks.stage import new_folder
from al_service.models.config import ModelConfig
from al_service.models.network import Network, scaled_tensors
from al_service.posterior.features import CHUNK_ROWS
from al_service.posterior.fitting import TrainingSet, fit_network
from al_service.rounds.scoring import cache_features
from al_service.settings import Settings
from al_service.studies.speed.large_pool import write_large_pool
from al_service.studies.speed.measuring import (
    Budget,
    Measurement,
    Size,
    peak_mb,
    side_by_side,
)
from al_service.survey.inputs import Inputs
from al_service.survey.pool_arrays import PoolArrays
from al_service.survey.pool_view import whole_pool

NAME: Final = "score"

MEMORY_BUDGET: Final = Budget(at_most=2000.0)
"""DESIGN.md section 8, MB, at any pool size; the seconds there are for images."""

_LABELS = 500
_EPOCHS = 2
_STEPS = 20


@dataclass(frozen=True)
class _Scale:
    objects: int
    smaller: int
    """A second pool: memory that grows with the pool shows as a difference."""
    dim: int
    repeats: int


_SCALES: Final = {
    Size.SMALL: _Scale(objects=1000, smaller=600, dim=32, repeats=1),
    Size.FULL: _Scale(objects=100_000, smaller=25_000, dim=256, repeats=3),
}


def measure(size: Size, home: Path) -> list[Measurement]:
    """Time `cache_features` against the network alone, and look at its memory."""
    scale = _SCALES[size]
    whole = _in_a_process(scale, scale.objects, home)
    smaller = _in_a_process(scale, scale.smaller, home)
    of_what = f"{scale.objects:,} objects with photometry, 9 targets, D = {scale.dim}"
    return [
        Measurement(
            benchmark=NAME,
            what=f"features of {of_what}",
            unit="s",
            ours=whole.seconds,
            peer="a bare forward pass",
            theirs=whole.bare_seconds,
            facts={"objects_per_second": scale.objects / whole.seconds, **whole.facts},
        ),
        memory_row(
            NAME, of_what, whole, smaller, begun="scoring", budget=MEMORY_BUDGET
        ),
    ]


def _in_a_process(scale: _Scale, objects: int, home: Path) -> Seen:
    with new_folder(home) as folder:
        write_large_pool(folder / "pool", objects)  # its memory is not counted
        return alone(_score, scale, folder)


def _score(scale: _Scale, folder: Path) -> Seen:
    """Score the pool in `folder`, again and again, each time into an empty cache."""
    arrays = PoolArrays.open(folder / "pool")
    network = _network(arrays, scale.dim)
    inputs = arrays.inputs(slice(0, CHUNK_ROWS))
    caches = (folder / f"features-{number}" for number in count())
    started = peak_mb()

    def ours() -> None:
        cache_features(
            network,
            whole_pool(arrays),
            next(caches),
            chunk=Settings.model_fields["score_chunk"].default,
            progress=lambda _share: None,
            should_stop=lambda: False,
        )

    ours()
    peak = peak_mb()
    times = side_by_side(
        ours, lambda: bare_pass(network, inputs, len(arrays)), repeats=scale.repeats
    )
    return Seen(
        seconds=times.ours.seconds,
        bare_seconds=times.theirs.seconds,
        started_mb=started,
        peak_mb=peak,
        objects=len(arrays),
        facts=times.facts(),
    )


def bare_pass(network: Network, inputs: Inputs, objects: int) -> float:
    """The module on one chunk, as often as the pool has chunks: no disk, no scaling.

    Returns:
        A number that depends on the last pass, so that nobody can skip it.
    """
    columns, present = scaled_tensors(network.scalers, inputs)
    total = 0.0
    with torch.no_grad():
        for _ in range(0, objects, len(inputs)):
            phi, _noise = network.module(columns, present)
            total = float(phi[0, 0, 0])
    return total


def _network(arrays: PoolArrays, dim: int) -> Network:
    """A network of the real shape; how well it predicts does not matter here."""
    taught = slice(0, _LABELS)
    return fit_network(
        TrainingSet(
            arrays.inputs(taught),
            arrays.known_values[taught],
            arrays.known_errors[taught],
        ),
        targets=arrays.targets,
        config=ModelConfig(dim=dim, epochs=_EPOCHS, min_steps=_STEPS),
        seed=0,
    )
