"""What is known of objects before anybody labels them."""

from dataclasses import dataclass, fields
from enum import IntFlag
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from al_service.survey.photometry_columns import PHOTOMETRY_COLUMNS

Rows = slice | NDArray[Any]  # Any: row numbers of every width, or a mask


class Modality(IntFlag):
    """A kind of measurement; their union is an object's pattern."""

    PHOTOMETRY = 1  # fluxes of a catalog
    IMAGE = 2  # a cutout in five bands
    SPECTRUM = 4  # a spectrum on the log-wavelength grid
    REDSHIFT = 8  # a redshift scan of the spectrum that is believed


class Measured(Protocol):
    """Measurements of `N` objects, in memory or read when they are asked for."""

    def __len__(self) -> int: ...

    def take(self, rows: Rows) -> "Inputs":
        """The objects of some rows, in their order, in memory."""
        ...


@dataclass(frozen=True)
class Inputs:
    """The measurements of `N` objects; a modality that a pool lacks is None."""

    photometry: NDArray[np.float32]
    """`N x P`, the columns of `PHOTOMETRY_COLUMNS`, NaN where missing."""
    has_photometry: NDArray[np.bool_]
    """`N`."""
    image: NDArray[np.float32] | None = None
    """`N x B x H x W`, nanomaggies."""
    has_image: NDArray[np.bool_] | None = None
    """`N`; None where no object has an image."""
    spectrum: NDArray[np.float32] | None = None
    """`N x C x L`: flux and inverse variance on the grid of the pool."""
    has_spectrum: NDArray[np.bool_] | None = None
    """`N`; None where no object has a spectrum."""
    scan: NDArray[np.float64] | None = None
    """`N x 3`: redshift of the scan, its standard deviation, its confidence; NaN, NaN
    and 0 where it found none; None where nobody has scanned."""

    def __len__(self) -> int:
        return len(self.photometry)

    @classmethod
    def of_photometry(cls, photometry: NDArray[np.floating[Any]]) -> Self:
        """Objects that have nothing but a catalog.

        Args:
            photometry: `N x P`, NaN where missing; any float type.
        """
        columns = np.asarray(photometry, dtype=np.float32)
        if columns.ndim != 2 or columns.shape[1] != len(PHOTOMETRY_COLUMNS):
            raise ValueError(
                f"photometry: expected N x {len(PHOTOMETRY_COLUMNS)}, "
                f"found shape {columns.shape}"
            )
        return cls(columns, np.asarray(np.isfinite(columns).any(axis=1)))

    def take(self, rows: Rows) -> Self:
        """The objects of some rows, in their order."""
        parts: dict[str, Any] = {  # Any: arrays of every modality
            field.name: None if part is None else part[rows]
            for field in fields(self)
            for part in [getattr(self, field.name)]
        }
        return type(self)(**parts)

    @property
    def patterns(self) -> NDArray[np.int64]:
        """`N` unions of `Modality`: what each object has."""
        pattern = np.where(self.has_photometry, int(Modality.PHOTOMETRY), 0)
        if self.has_image is not None:
            pattern = pattern + np.where(self.has_image, int(Modality.IMAGE), 0)
        if self.has_spectrum is not None:
            pattern = pattern + np.where(self.has_spectrum, int(Modality.SPECTRUM), 0)
        return pattern.astype(np.int64)
