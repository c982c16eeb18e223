"""What every stamp is, and what is wrong with those that are not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from al_service.errors import InvalidInput
from al_service.survey.photometry_columns import BANDS

SIDE: Final = 64
"""`H` and `W`: 25" on the sky, two half-light radii of nearly every galaxy."""

PIXEL_ARCSEC: Final = 0.396
"""Width of a pixel of SDSS's camera."""

STAMP_SHAPE: Final = (len(BANDS), SIDE, SIDE)

BRIGHTEST_PIXEL: Final = 1e8
"""Nanomaggies in one pixel: brighter stars saturate; counts and 16-bit pictures lie
above sky levels of thousands in every pixel instead."""


class BadImage(InvalidInput):
    """A file of images that cannot be read; nothing of it was."""

    def __init__(self, path: object, message: str) -> None:
        super().__init__(f"{path}: {message}")


class ImageSource(Protocol):
    """Stamps that are read when they are asked for."""

    @property
    def object_ids(self) -> list[str] | None:
        """`N` identifiers; None where the images name none."""
        ...

    @property
    def ra(self) -> NDArray[np.float64] | None:
        """`N` ICRS degrees; None where the images have no positions."""
        ...

    @property
    def dec(self) -> NDArray[np.float64] | None:
        """`N` ICRS degrees; None where the images have no positions."""
        ...

    def __len__(self) -> int: ...

    def take(self, rows: Sequence[int]) -> NDArray[np.float32]:
        """`K x B x H x W` nanomaggies."""
        ...


@dataclass(frozen=True)
class ArrayImages:
    """Stamps in one array, in memory or on disk."""

    array: Any  # Any: numpy, memory map or Zarr
    object_ids: list[str] | None
    ra: NDArray[np.float64] | None
    dec: NDArray[np.float64] | None

    def __len__(self) -> int:
        return int(self.array.shape[0])

    def take(self, rows: Sequence[int]) -> NDArray[np.float32]:
        """`K x B x H x W` nanomaggies, in the order of the rows."""
        wanted = np.asarray(rows, dtype=np.int64)
        if hasattr(self.array, "oindex"):
            return np.asarray(self.array.oindex[wanted], dtype=np.float32)
        return np.asarray(self.array[wanted], dtype=np.float32)


def problem_of(stamp: NDArray[np.floating[Any]]) -> str | None:
    """What is wrong with one stamp; None for a good one.

    Args:
        stamp: `B x H x W`.
    """
    if stamp.shape != STAMP_SHAPE:
        bands = stamp.shape[0] if stamp.ndim == len(STAMP_SHAPE) else 1
        if bands != len(BANDS):
            return f"expected {len(BANDS)} bands {''.join(BANDS)}, found {bands}"
        return f"expected {STAMP_SHAPE}, found shape {stamp.shape}"
    for band, plane in zip(BANDS, stamp, strict=True):
        if not np.isfinite(plane).all():
            bad = int((~np.isfinite(plane)).sum())
            return f"band {band}: expected finite pixels, found {bad} that are not"
        if not plane.any():
            return f"band {band}: every pixel is 0"
        if np.abs(plane).max() > BRIGHTEST_PIXEL:
            return (
                f"band {band}: expected nanomaggies below {BRIGHTEST_PIXEL:g}, found"
                f" {np.abs(plane).max():g}"
            )
    return None


def check_bands(path: object, bands: Sequence[str]) -> None:
    """Refuse bands that are not ugriz in this order."""
    if [str(band).lower() for band in bands] != list(BANDS):
        raise BadImage(
            path, f"expected bands {' '.join(BANDS)}, found {' '.join(map(str, bands))}"
        )
