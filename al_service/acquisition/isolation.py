"""Objects that stand alone, far outside the pool: junk, artifacts, the odd discovery.

A strategy that looks for what is unlike everything known finds junk first. In a trial
with photometry, galaxies had their tenth neighbor at most 16 times as far away as the
median galaxy, half a percent of them more than 6 times; objects whose fluxes are no
galaxy's had it 7 to 29 times as far.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.models.samples import evenly

NEIGHBORS: Final = 10
"""An object is alone whose tenth neighbor is far: pairs of junk keep no company."""

REFERENCE: Final = 5000
"""Pool objects that neighbors are looked for among."""

TYPICAL: Final = 1000
"""Objects that say how far a neighbor typically is."""

_STEPS: Final = (50, 5, 1)
"""Who has enough company among every fiftieth of the reference needs no other look:
nearly all."""

_PRODUCTS: Final = 2**22
"""Products held at a time."""

_MOST_AT_ONCE: Final = 16_384
"""Objects read at a time."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Scaled:
    """Features of `N` objects, read and scaled some at a time."""

    features: NDArray[np.floating]
    """Of many objects, perhaps on disk."""
    rows: NDArray[np.int64]
    """`N` rows of them."""
    scale: Floats
    """`D` or 1: units of the distances."""

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, places: NDArray[np.int64]) -> Floats:
        """Scaled features of some of the objects."""
        return self.features[self.rows[places]].astype(np.float32) * self.scale


def isolated(candidates: Scaled, beyond: float) -> NDArray[np.bool_]:
    """The objects whose tenth neighbor is far away.

    Args:
        candidates: `N` objects in a fixed order.
        beyond: how many times as far as that of the median object.

    Returns:
        `N` flags.
    """
    everybody = np.arange(len(candidates))
    alone = np.zeros(len(candidates), dtype=np.bool_)
    if len(candidates) <= NEIGHBORS:
        return alone
    reference = candidates.take(evenly(everybody, REFERENCE))
    typical = candidates.take(evenly(everybody, TYPICAL))
    radius = beyond**2 * float(np.median(neighbor_distances(typical, reference)))
    if radius <= 0.0:
        return alone
    left = everybody
    for step in _STEPS:
        company = _company(candidates, left, reference[::step], radius)
        left = left[company <= NEIGHBORS]
    alone[left] = True
    return alone


def neighbor_distances(features: Floats, reference: Floats) -> NDArray[np.float64]:
    """`N` squared distances to the tenth neighbor among some objects.

    An object is its own neighbor where it is among them, and then at distance 0: the
    tenth other one has the next place. For all others that place is the eleventh: with
    five thousand objects to look among, the difference is within the noise.

    Args:
        features: `N x D`.
        reference: `M x D`.
    """
    found = np.empty(len(features))
    place = min(NEIGHBORS, len(reference) - 1)
    for some in _parts(len(features), len(reference)):
        squared = _squared_distances(features[some], reference)
        found[some] = np.partition(squared, place, axis=1)[:, place]
    return found


def _company(
    candidates: Scaled, places: NDArray[np.int64], reference: Floats, radius: float
) -> NDArray[np.int64]:
    """How many of the reference lie within a squared distance of each object."""
    found = np.empty(len(places), dtype=np.int64)
    for some in _parts(len(places), len(reference)):
        squared = _squared_distances(candidates.take(places[some]), reference)
        found[some] = np.count_nonzero(squared <= radius, axis=1)
    return found


def _parts(count: int, n_reference: int) -> Iterator[slice]:
    """Objects some at a time."""
    step = min(_MOST_AT_ONCE, max(1, _PRODUCTS // n_reference))
    for start in range(0, count, step):
        yield slice(start, min(start + step, count))


def _squared_distances(features: Floats, reference: Floats) -> Floats:
    """`N x M`."""
    squared: Floats = features @ reference.T
    squared *= -2.0
    squared += np.einsum("md,md->m", reference, reference)
    squared += np.einsum("nd,nd->n", features, features)[:, None]
    return squared
