"""The features of a whole pool, read from disk in chunks and cached on disk.

Measured in a process of its own, so that its largest memory is that of scoring.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

import torch

from al_service.cli.benchmarks.alone import Seen, alone, memory_row
from al_service.cli.benchmarks.stage import new_folder
from al_service.models.config import ModelConfig
from al_service.models.network import Network, scaled_tensors
from al_service.posterior.features import rows_at_once
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
from al_service.survey.simulation.settings import default_settings
from al_service.survey.simulation.simulate import simulate

NAME: Final = "score"

MEMORY_BUDGET: Final = Budget(at_most=2000.0)
"""DESIGN.md section 8, MB, at any pool size."""

IMAGES_A_SECOND: Final = 100_000 / 60
"""The least that was asked for (DESIGN.md section 8), on two cores."""

_LABELS = 500
_EPOCHS = 2
_STEPS = 20


@dataclass(frozen=True)
class _Pool:
    """What is scored."""

    has: str
    write: Callable[[Path, int], object]
    objects: int
    smaller: int
    """A second pool: memory that grows with the pool shows as a difference."""
    dim: int
    repeats: int
    least: float | None = None
    """Objects a second that were asked for."""

    @property
    def budget(self) -> Budget:
        """Seconds."""
        return Budget(None if self.least is None else self.objects / self.least)


def _write_images(path: Path, n_objects: int) -> None:
    """A simulated survey without spectra, whose images lie compressed as any do."""
    gaps = {"without_spectrum": 1.0, "without_image": 0.0}
    simulate(path, n_objects, default_settings().with_changes({"gaps": gaps}), seed=0)


_POOLS: Final = {
    Size.SMALL: (
        _Pool("photometry", write_large_pool, 1000, 600, dim=32, repeats=1),
        _Pool(
            "images and photometry",
            _write_images,
            600,
            520,
            dim=32,
            repeats=1,
            least=IMAGES_A_SECOND,
        ),
    ),
    Size.FULL: (
        _Pool("photometry", write_large_pool, 100_000, 25_000, dim=256, repeats=3),
        _Pool(
            "images and photometry",
            _write_images,
            20_000,
            5000,
            dim=256,
            repeats=3,
            least=IMAGES_A_SECOND,
        ),
    ),
}


def measure(size: Size, home: Path) -> list[Measurement]:
    """Time `cache_features` against the network alone, and look at its memory."""
    return [row for pool in _POOLS[size] for row in _rows(pool, home)]


def _rows(pool: _Pool, home: Path) -> list[Measurement]:
    whole = _in_a_process(pool, pool.objects, home)
    smaller = _in_a_process(pool, pool.smaller, home)
    of_what = f"{pool.objects:,} objects with {pool.has}, 9 targets, D = {pool.dim}"
    return [
        Measurement(
            benchmark=NAME,
            what=f"features of {of_what}",
            unit="s",
            ours=whole.seconds,
            peer="a bare forward pass",
            theirs=whole.bare_seconds,
            budget=pool.budget,
            facts={"objects_per_second": pool.objects / whole.seconds, **whole.facts},
        ),
        memory_row(
            NAME, of_what, whole, smaller, begun="scoring", budget=MEMORY_BUDGET
        ),
    ]


def _in_a_process(pool: _Pool, objects: int, home: Path) -> Seen:
    with new_folder(home) as folder:
        pool.write(folder / "pool", objects)  # its memory is not counted
        return alone(_score, pool.dim, pool.repeats, folder)


def _score(dim: int, repeats: int, folder: Path) -> Seen:
    """Score the pool in `folder`, again and again, each time into an empty cache."""
    arrays = PoolArrays.open(folder / "pool")
    network = _network(arrays, dim)
    inputs = arrays.inputs(slice(0, rows_at_once(network)))
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
        ours, lambda: bare_pass(network, inputs, len(arrays)), repeats=repeats
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
        config=ModelConfig(
            dim=dim, epochs=_EPOCHS, pixel_epochs=_EPOCHS, min_steps=_STEPS
        ),
        seed=0,
    )
