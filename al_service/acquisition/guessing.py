"""The next choices of a walk, worked out among few rows in float64.

Each choice lowers Σ and ΣFΣ by products of vectors (`information_gain.py`). For few
choices among few rows the matrices need not be touched: what they do to a row is their
product with it at the beginning, less what the choices before have taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Choice:
    """A choice of the greedy rule among few."""

    place: int
    direction: Floats
    aim: Floats
    gain: float
    reach: float


def guess_choices(
    points: Floats, covariance: Floats, aim: Floats | None, *, count: int
) -> list[Choice]:
    """The greedy rule among some rows, the first of which is chosen first.

    Args:
        points: `L x D` rows, unit noise.
        covariance: `D x D`.
        aim: `D x D` matrix ΣFΣ, or None for MaxDet.
        count: how many to choose, at most `L`.
    """
    known = points @ covariance  # L x D
    variance = np.einsum("ld,ld->l", known, points)
    looking = known if aim is None else points @ aim
    reach = np.einsum("ld,ld->l", looking, points)
    free = np.ones(len(points), dtype=np.bool_)
    place, choices = 0, list[Choice]()
    products, seen = np.empty((count, len(points))), np.empty((count, len(points)))
    for number in range(count):
        free[place] = False
        before = products[:number, place], seen[:number, place]
        choice = _choice(
            place,
            points[place],
            known[place],
            None if aim is None else looking[place],
            list(zip(choices, *before, strict=False)),
        )
        choices.append(choice)
        share = products[number] = points @ choice.direction
        share = share / choice.gain
        variance = variance - share * products[number]
        score = variance
        if aim is not None:
            seen[number] = points @ choice.aim
            reach = reach - share * (2.0 * seen[number] - share * choice.reach)
            score = reach / (1.0 + variance)
        place = int(np.argmax(np.where(free, score, -np.inf)))
    return choices


def _choice(
    place: int,
    point: Floats,
    known: Floats,
    looking: Floats | None,
    before: Sequence[tuple[Choice, float, float]],
) -> Choice:
    """What a choice does to the posterior that the choices before it have left.

    Args:
        place: which row.
        point: `D`, the row.
        known: `D`, Σx at the beginning.
        looking: `D`, ΣFΣx at the beginning; None for MaxDet.
        before: earlier choices with k and l of this row.
    """
    direction = known.copy()
    for choice, product, _ in before:
        direction -= choice.direction * (product / choice.gain)
    gain = 1.0 + float(point @ direction)
    if looking is None:
        return Choice(place, direction, np.zeros_like(point), gain, 0.0)
    aim = looking.copy()
    for choice, product, seen in before:
        share = product / choice.gain
        along = seen / choice.gain - share * choice.reach / choice.gain
        aim -= choice.direction * along + choice.aim * share
    return Choice(place, direction, aim, gain, float(point @ aim))
