"""Objects that the simulator makes and writes in a second, on one core."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
from scipy.fft import irfft2

from al_service.studies.speed.measuring import (
    Budget,
    Measurement,
    Size,
    side_by_side,
)
from al_service.survey.photometry_columns import BANDS
from al_service.survey.pool_arrays import PoolArrays
from al_service.survey.simulation.simulate import simulate

NAME: Final = "simulate"

OBJECTS_A_SECOND: Final = 500
"""The least that was asked for, on one core."""

BOX: Final = 128
"""Twice the side of a stamp: so that no light wraps around into it."""

_TOGETHER: Final = 8
"""Transforms of so many objects stay in the cache."""


@dataclass(frozen=True)
class _Scale:
    objects: int
    repeats: int


_SCALES: Final = {
    Size.SMALL: _Scale(objects=192, repeats=1),
    Size.FULL: _Scale(objects=4000, repeats=3),
}


def measure(size: Size) -> list[Measurement]:
    """Time a pool with everything, written, against bare inverse transforms."""
    scale = _SCALES[size]
    times = side_by_side(
        lambda: _simulated(scale.objects),
        lambda: bare_transforms(scale.objects),
        repeats=scale.repeats,
        warm_up=size is Size.FULL,
    )
    seconds = times.ours.processor
    return [
        Measurement(
            benchmark=NAME,
            what=f"{scale.objects:,} objects simulated and written, processor time",
            unit="s",
            ours=seconds,
            peer=f"the bare inverse transforms, {len(BANDS)} of {BOX} x {BOX} each",
            theirs=times.theirs.processor,
            budget=Budget(at_most=scale.objects / OBJECTS_A_SECOND),
            facts={
                "objects": times.our_result,
                "objects_per_processor_second": scale.objects / seconds,
            }
            | times.facts(),
        )
    ]


def bare_transforms(n_objects: int) -> float:
    """One inverse transform per object and band, nothing else.

    Returns:
        A number that depends on them, so that nobody can skip them.
    """
    shape = (_TOGETHER, len(BANDS), BOX, BOX // 2 + 1)
    light = np.random.default_rng(0).standard_normal(shape).astype(np.complex64)
    total = 0.0
    for _ in range(0, n_objects, _TOGETHER):
        total += float(irfft2(light, s=(BOX, BOX))[0, 0, 0, 0])
    return total


def _simulated(n_objects: int) -> int:
    with TemporaryDirectory() as folder:
        pool: PoolArrays = simulate(Path(folder) / "pool", n_objects, seed=0)
        return len(pool)
