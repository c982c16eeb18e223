"""What an object is near to: the shortest explanation of why it was asked for."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from al_service.acquisition.distances import nearest_center


@dataclass(frozen=True)
class Neighbor:
    """The nearest of some objects."""

    place: int
    """Among those that were given."""

    distance: float
    """In units of the strongest direction's standard deviation."""


def neighbors(
    features: NDArray[np.floating],
    others: NDArray[np.floating],
    scale: NDArray[np.float64],
) -> list[Neighbor | None]:
    """The nearest other object of each.

    Args:
        features: `N x D` whitened features.
        others: `M x D` those of the objects to be near to.
        scale: `D` factors on features before distances are taken.

    Returns:
        `N` neighbors; None where there is nobody else.
    """
    if len(others) == 0 or len(features) == 0:
        return [None] * len(features)
    factors = scale.astype(np.float32)
    nearest = nearest_center(
        np.ascontiguousarray(features, dtype=np.float32) * factors,
        np.ascontiguousarray(others, dtype=np.float32) * factors,
    )
    return [
        Neighbor(int(place), float(distance))
        for place, distance in zip(
            nearest.center, np.sqrt(nearest.squared), strict=True
        )
    ]
