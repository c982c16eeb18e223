"""Which object a spectrum or an image belongs to."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
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
    places: Iterable[tuple[NDArray[np.float64], NDArray[np.float64]]],
    *,
    radius_arcsec: float,
) -> NDArray[np.int64]:
    """The nearest object to each position.

    Args:
        ra: `K` ICRS degrees.
        dec: `K` ICRS degrees.
        places: right ascensions and declinations of the objects, in parts.
        radius_arcsec: objects further away are none.

    Returns:
        `K` numbers of objects, `ABSENT` where none is near.
    """
    found = np.full(len(ra), ABSENT, dtype=np.int64)
    if not len(ra):
        return found
    best = np.full(len(ra), np.inf)
    tree, first = cKDTree(unit_vectors(ra, dec)), 0
    for part in places:
        near = tree.sparse_distance_matrix(
            cKDTree(unit_vectors(*part)), chord(radius_arcsec), output_type="ndarray"
        )
        # The nearest of each position comes first, then the one that comes first.
        near = near[np.lexsort((near["j"], near["v"], near["i"]))]
        place, one = np.unique(near["i"], return_index=True)
        closer = near["v"][one] < best[place]
        best[place[closer]] = near["v"][one[closer]]
        found[place[closer]] = first + near["j"][one[closer]]
        first += len(part[0])
    return found


def rows_named(wanted: Collection[str], names: Iterable[str | None]) -> dict[str, int]:
    """Objects of some normal names: the last that has each.

    Args:
        wanted: as `normal_id` writes them.
        names: of the objects, in their order; None where one has no name.
    """
    rows: dict[str, int] = {}
    for row, name in enumerate(names):
        if name is not None and (normal := normal_id(name)) in wanted:
            rows[normal] = row
    return rows


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
