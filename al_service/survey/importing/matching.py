"""Which object a spectrum or an image belongs to."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from al_service.survey.pool_writer import ABSENT

_FIBER: Final = re.compile(r"0*(\d+)-0*(\d+)-0*(\d+)")


def normal_id(name: str) -> str:
    """`0266-51630-0168` and `266-51630-168` are one: without leading zeros."""
    fiber = _FIBER.fullmatch(name)
    return name if fiber is None else "-".join(fiber.groups())


def unit_vectors(
    ra: NDArray[np.float64], dec: NDArray[np.float64]
) -> NDArray[np.float64]:
    """`N x 3` directions of positions in degrees."""
    a, d = np.radians(ra), np.radians(dec)
    return np.stack([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)], axis=1)


def chord(arcsec: float) -> float:
    """Distance between unit vectors that are some arcseconds apart."""
    return float(2.0 * np.sin(np.radians(arcsec / 3600.0) / 2.0))


def nearest(
    ra: NDArray[np.float64],
    dec: NDArray[np.float64],
    there_ra: NDArray[np.float64],
    there_dec: NDArray[np.float64],
    *,
    radius_arcsec: float,
) -> NDArray[np.int64]:
    """The nearest object to each position.

    Args:
        ra: `K` ICRS degrees.
        dec: `K` ICRS degrees.
        there_ra: `N` of the objects.
        there_dec: `N` of the objects.
        radius_arcsec: objects further away are none.

    Returns:
        `K` numbers of objects, `ABSENT` where none is near.
    """
    if not len(there_ra) or not len(ra):
        return np.full(len(ra), ABSENT, dtype=np.int64)
    tree = cKDTree(unit_vectors(there_ra, there_dec))
    distance, found = tree.query(
        unit_vectors(ra, dec), distance_upper_bound=chord(radius_arcsec)
    )
    return np.where(np.isfinite(distance), found, ABSENT).astype(np.int64)


def by_id(
    names: Iterable[Sequence[str]], objects: Mapping[str, int]
) -> NDArray[np.int64]:
    """The object of the first name that one has.

    Args:
        names: `K` lists of names, each by falling precedence.
        objects: name to number.

    Returns:
        `K` numbers of objects, `ABSENT` where no name is known.
    """
    return np.array(
        [
            next((objects[one] for one in those if one in objects), ABSENT)
            for those in names
        ],
        dtype=np.int64,
    )


def galaxies(
    ids: NDArray[np.str_],
    ra: NDArray[np.float64],
    dec: NDArray[np.float64],
    *,
    radius_arcsec: float,
    links: Sequence[tuple[int, int]] = (),
    declared: NDArray[np.str_] | None = None,
) -> tuple[NDArray[np.str_], int]:
    """Which galaxy each object is.

    Objects within the radius, directly or over others, are one galaxy; so are objects
    that are linked, and those of one declared galaxy.

    Args:
        ids: `N` identifiers, unique.
        ra: `N` ICRS degrees.
        dec: `N` ICRS degrees.
        radius_arcsec: two positions closer than this are one.
        links: pairs of objects that are known to be one.
        declared: `N` galaxies by the catalog.

    Returns:
        `N` identifiers, the alphabetically first object or declared galaxy of each,
        and how many galaxies there are.
    """
    pairs = [
        cKDTree(unit_vectors(ra, dec)).query_pairs(
            chord(radius_arcsec), output_type="ndarray"
        )
    ]
    if links:
        pairs.append(np.asarray(links, dtype=np.int64))
    names = ids if declared is None else declared
    if declared is not None:
        _, first, member = np.unique(declared, return_index=True, return_inverse=True)
        pairs.append(np.stack([np.arange(len(ids)), first[member]], axis=1))
    # Nearly every object stands alone: only those with a partner are looked at.
    paired, edges = np.unique(np.concatenate(pairs), return_inverse=True)
    graph = coo_matrix(
        (np.ones(len(edges.reshape(-1, 2)), dtype=np.int8), edges.reshape(-1, 2).T),
        shape=(len(paired),) * 2,
    )
    n_components, component = connected_components(graph, directed=False)
    groups = names.copy()
    order = np.argsort(names[paired], kind="stable")
    _, leaders = np.unique(component[order], return_index=True)
    groups[paired] = names[paired][order][leaders][component]
    return groups, len(ids) - len(paired) + n_components
