"""Photometry as it grows: a catalog's rows, then those of their galaxies' spectra."""

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from al_service.survey.importing.objects import ObjectList
from al_service.survey.photometry_columns import PHOTOMETRY_COLUMNS
from al_service.survey.pool_writer import GrowingArray

P: Final = len(PHOTOMETRY_COLUMNS)


class GrowingPhotometry:
    """The photometry array as it grows, and which objects have any."""

    def __init__(self, path: Path) -> None:
        self._array = GrowingArray(path, (P,))
        self._has: list[NDArray[np.bool_]] = []

    def __len__(self) -> int:
        return len(self._array)

    def append(self, photometry: NDArray[np.floating[Any]]) -> None:
        """Add `K x P` rows."""
        self._array.append(photometry)
        self._has.append(np.asarray(np.isfinite(photometry).any(axis=1)))

    def finish(self, objects: ObjectList) -> NDArray[np.bool_]:
        """Rows for objects that came later: those of their galaxy, or nothing.

        Returns:
            `N` flags: whether each object has photometry.
        """
        self._array.finish()
        known = len(self._array)
        missing = np.full((len(objects) - known, P), np.nan, dtype=np.float32)
        links = [pair for pair in objects.links if pair[0] < known <= pair[1]]
        if links:
            there, here = zip(*links, strict=True)
            missing[np.array(here) - known] = self._array.take(there)
        if len(missing):
            self.append(missing)
            self._array.finish()
        return np.concatenate(self._has) if self._has else np.zeros(0, bool)
