"""Which objects are one galaxy: by place, by links, by what the catalog declares.

Nearly every object stands alone. Positions are looked at in strips of declination, and
names only of objects that have a partner: what stays in memory are positions and their
order, 24 bytes an object.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from al_service.survey.importing.matching import chord, unit_vectors

STRIP: Final = 50_000
"""Objects in one tree: 8 MB."""

MARGIN: Final = 1e-9
"""Degrees, 4 microarcseconds: far more than rounding moves a declination."""

Texts = NDArray[np.bytes_]


@dataclass(frozen=True)
class JoinedNames:
    """Names of which several are one galaxy, and the alphabetically first of each."""

    names: Texts
    """Sorted."""
    leaders: Texts
    n_galaxies: int
    """How many galaxies the names are."""

    def groups_of(self, names: Texts) -> Texts:
        """Names of galaxies: those of objects that stand alone are their own."""
        if not len(self.names):
            return names
        place = np.minimum(np.searchsorted(self.names, names), len(self.names) - 1)
        return np.where(self.names[place] == names, self.leaders[place], names)


def joined_names(
    ra: NDArray[np.float64],
    dec: NDArray[np.float64],
    take_names: Callable[[NDArray[np.int64]], list[str]],
    *,
    radius_arcsec: float,
    links: Sequence[tuple[int, int]] = (),
) -> JoinedNames:
    """Join the names of objects that are within a radius, or linked, or joined so.

    Args:
        ra: `N` ICRS degrees.
        dec: `N` ICRS degrees.
        take_names: brings the names of objects by their numbers: identifiers, or
            galaxies that the catalog declares.
        radius_arcsec: two positions closer than this are one.
        links: pairs of objects that are known to be one.
    """
    pairs = [*near_links(ra, dec, radius_arcsec)]
    if links:
        pairs.append(np.asarray(links, dtype=np.int64))
    both = np.concatenate([np.empty((0, 2), dtype=np.int64), *pairs])
    taken = np.array([name.encode() for name in take_names(both.ravel())], np.bytes_)
    names, edges = np.unique(taken, return_inverse=True)
    n_galaxies, component = _components(edges.reshape(-1, 2), len(names))
    # Names are sorted, and UTF-8 sorts as text does: the first is the leader.
    _, first = np.unique(component, return_index=True)
    return JoinedNames(names, names[first][component], n_galaxies)


def near_links(
    ra: NDArray[np.float64], dec: NDArray[np.float64], radius_arcsec: float
) -> Iterator[NDArray[np.int64]]:
    """Pairs that join the objects within a radius: `K x 2` for each strip of the sky.

    Of a crowd each object is linked with one: all pairs of ten thousand rows at one
    place, where a survey had no position, would be fifty million.
    """
    order = np.argsort(dec, kind="stable")
    height = radius_arcsec / 3600.0 + MARGIN
    for start, end in _strips(dec, order, height):
        rows = order[start:end]
        leaders = _leaders(ra[rows], dec[rows], radius_arcsec)
        joined = np.flatnonzero(leaders != np.arange(len(rows)))
        yield np.stack([rows[leaders[joined]], rows[joined]], axis=1)


def _leaders(
    ra: NDArray[np.float64], dec: NDArray[np.float64], radius_arcsec: float
) -> NDArray[np.int64]:
    """`K` numbers: the first of the objects that each is joined with, or its own."""
    _, first, place = np.unique(ra + 1j * dec, return_index=True, return_inverse=True)
    tree = cKDTree(unit_vectors(ra[first], dec[first]))
    pairs = tree.query_pairs(chord(radius_arcsec), output_type="ndarray")
    _, component = _components(pairs, len(first))
    _, leaders, member = np.unique(
        component[place], return_index=True, return_inverse=True
    )
    return leaders[member]


def _components(pairs: NDArray[np.int64], n: int) -> tuple[int, NDArray[np.int32]]:
    """How many components `K x 2` pairs make of `n` nodes, and the one of each."""
    edges = np.ones(len(pairs), dtype=np.int8)
    graph = coo_matrix((edges, pairs.T), shape=(n, n))
    count, component = connected_components(graph, directed=False)
    return int(count), component


def _strips(
    dec: NDArray[np.float64], order: NDArray[np.int64], height: float
) -> Iterator[tuple[int, int]]:
    """Where strips start in the order, and where those near them end.

    A strip that more objects are near to than are in it is doubled: no tree is built
    over the same objects more than twice, even if all have one declination.
    """
    start, n = 0, len(order)
    while start < n:
        stop, end = start, start
        while stop == start or (end - stop > stop - start):
            stop = min(n, start + max(STRIP, 2 * (stop - start)))
            reach = dec[order[stop - 1]] + height
            end = int(np.searchsorted(dec, reach, side="right", sorter=order))
        yield start, end
        start = stop
