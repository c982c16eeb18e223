"""Names and groups of objects by their place on the sky."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

MATCH_RADIUS_ARCSEC: Final = 1.0
"""Two SDSS detections closer than this are one galaxy: astrometry is good to 0.1",
and the fibers are 3" wide."""

LARGEST_RADIUS_ARCSEC: Final = 60.0
"""Within a larger one, galaxies of a crowded field are anybody's."""


def position_names(
    ra: NDArray[np.float64], dec: NDArray[np.float64], *, prefix: str = "SDSS J"
) -> NDArray[np.str_]:
    """IAU names from positions, truncated and never rounded, as the IAU asks.

    Args:
        ra: `N` right ascensions, ICRS degrees.
        dec: `N` declinations, ICRS degrees.
        prefix: the survey's designation.

    Returns:
        `N` names such as `SDSS J080820.79+361148.7`.
    """
    # Hundredths of a second of time and tenths of an arcsecond; the small addend
    # keeps a position that is exactly representable in sexagesimal from falling.
    time = np.floor((np.asarray(ra) % 360.0) / 15.0 * 360_000.0 + 1e-6).astype(np.int64)
    arc = np.floor(np.abs(dec) * 36_000.0 + 1e-6).astype(np.int64)
    return np.array(
        [
            f"{prefix}{t // 360_000:02d}{t // 6_000 % 60:02d}{t // 100 % 60:02d}"
            f".{t % 100:02d}{'-' if d < 0 else '+'}{a // 36_000:02d}"
            f"{a // 600 % 60:02d}{a // 10 % 60:02d}.{a % 10}"
            for t, a, d in zip(time, arc, dec, strict=True)
        ]
    )


def group_by_position(
    object_ids: Sequence[str] | NDArray[np.str_],
    ra: NDArray[np.float64],
    dec: NDArray[np.float64],
    *,
    radius_arcsec: float = MATCH_RADIUS_ARCSEC,
) -> NDArray[np.str_]:
    """Which galaxy each object is: repeat observations share a group.

    Args:
        object_ids: `N` identifiers.
        ra: `N` right ascensions, ICRS degrees.
        dec: `N` declinations, ICRS degrees.
        radius_arcsec: objects within this distance, directly or over others, are one.

    Returns:
        `N` group identifiers: the alphabetically first object of each group.
    """
    ids = np.asarray(object_ids, dtype=np.str_)
    sky = SkyCoord(ra * u.deg, dec * u.deg)
    first, second, _, _ = sky.search_around_sky(sky, radius_arcsec * u.arcsec)
    links = coo_matrix((np.ones(len(first)), (first, second)), shape=(len(ids),) * 2)
    _, component = connected_components(links, directed=False)
    order = np.argsort(ids, kind="stable")
    _, leaders = np.unique(component[order], return_index=True)
    return ids[order][leaders][component]
