"""Columns on one scale: learned from training rows, stored with the network."""

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

CLIP_SIGMA: Final = 6.0
"""Values further out are drawn in: catalogs hold rare absurd fluxes, and a network
extrapolates without bound."""

NO_SPREAD: Final = 1e-9
"""Standard deviation relative to the mean, or to 1, that is the mean's own rounding."""


@dataclass(frozen=True)
class Scaler:
    """Centers and spreads of `F` columns."""

    center: NDArray[np.float64]
    """`F` means of the training rows."""
    spread: NDArray[np.float64]
    """`F` standard deviations; 0 where a column never varied but for rounding."""

    @classmethod
    def fit(cls, columns: NDArray[np.floating[Any]]) -> Self:
        """Learn from training rows.

        Args:
            columns: `N x F`, NaN where missing.
        """
        known = np.isfinite(columns)
        count = np.maximum(known.sum(axis=0), 1)
        filled = np.where(known, columns, 0.0).astype(np.float64)
        center = filled.sum(axis=0) / count
        deviation = np.where(known, filled - center, 0.0)
        # One far outlier must not squeeze all others together: second pass on the
        # values within the clip.
        spread = np.sqrt((deviation**2).sum(axis=0) / count)
        limit = CLIP_SIGMA * spread
        clipped = np.clip(deviation, -limit, limit)
        within = np.sqrt((clipped**2).sum(axis=0) / count)
        varied = within > NO_SPREAD * np.maximum(1.0, np.abs(center))
        return cls(center, np.where(varied, within, 0.0))

    def transform(self, columns: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Scale rows; a missing value becomes the mean, 0.

        A column that never varied in training says nothing and stays 0.

        Args:
            columns: `N x F`, NaN where missing.

        Returns:
            `N x F`, without unit, within `CLIP_SIGMA` of 0.
        """
        known_scale = self.spread > 0
        spread = np.where(known_scale, self.spread, 1.0)
        scaled = np.where(known_scale, (columns - self.center) / spread, 0.0)
        clipped = np.clip(np.nan_to_num(scaled), -CLIP_SIGMA, CLIP_SIGMA)
        return np.asarray(clipped, dtype=np.float32)
