"""Each object's nearest labeled object, remembered from one head run to the next.

LCMD begins with the distances of all candidates to all labeled objects: a third of a
head run, and but for the ten labels that have just come the same as in the run before.
What was found is kept beside the features, one file for each campaign, and dropped
where it cannot be read or knows a label that the campaign does not: it is never needed,
it only saves time.
"""

import logging
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from al_service.acquisition.distances import FindNearest, Nearest, nearest_center
from al_service.rounds.artifacts import load_arrays, save_arrays

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]

_NOBODY: Final = -1

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class NearestLabels:
    """What is known of the `N` objects of a pool."""

    labels: Rows
    """`M` rows of labeled objects in the order in which they came."""
    compared: NDArray[np.int32]
    """`N`: with how many of them, from the first on, an object was compared."""
    nearest: NDArray[np.int32]
    """`N`: which of these is nearest; -1 where an object was compared with none."""
    squared: NDArray[np.float64]
    """`N` squared distances to it."""

    @classmethod
    def unknown(cls, n_objects: int) -> Self:
        """Nothing is known yet."""
        return cls(
            np.empty(0, dtype=np.int64),
            np.zeros(n_objects, dtype=np.int32),
            np.full(n_objects, _NOBODY, dtype=np.int32),
            np.full(n_objects, np.inf),
        )

    def knowing(self, labeled_rows: Rows) -> "NearestLabels":
        """The same with the labels of now, which nothing was compared with yet.

        Args:
            labeled_rows: rows of all labeled objects. Where one is gone that was known,
                nothing is known any more.
        """
        known = self
        if not np.isin(self.labels, labeled_rows).all():
            known = self.unknown(len(self.compared))
        new = np.setdiff1d(labeled_rows, known.labels)
        return NearestLabels(
            np.concatenate([known.labels, new]),
            known.compared.copy(),
            known.nearest.copy(),
            known.squared.copy(),
        )

    def compare(
        self, center_rows: Rows, rows: Rows, features: Floats, centers: Floats
    ) -> Nearest:
        """Find the nearest centers; what is found of labels is noted here.

        Args:
            center_rows: `C` rows, ascending: all labels, and objects that are being
                looked at.
            rows: `K` different objects.
            features: `K x D`.
            centers: `C x D`.

        Returns:
            Positions among the centers, and float64 squared distances: to the bit what
            `nearest_center` finds.
        """
        if len(self.labels) == 0:
            return nearest_center(features, centers)
        place_of = np.searchsorted(center_rows, self.labels)
        for among in self._alike(rows):
            first = self.compared[rows[among[0]]]
            new = first + np.argsort(self.labels[first:])
            self._settle(rows[among], features[among], new, centers[place_of[new]])
        found = Nearest(place_of[self.nearest[rows]], self.squared[rows])
        others = np.flatnonzero(~np.isin(center_rows, self.labels))
        return _nearer(found, others, features, centers[others])

    def _alike(self, rows: Rows) -> Iterator[NDArray[np.int64]]:
        """Positions of rows that were compared with the same labels, not yet all."""
        compared = self.compared[rows]
        for count in np.unique(compared).tolist():
            if count < len(self.labels):
                yield np.flatnonzero(compared == count)

    def _settle(self, rows: Rows, features: Floats, new: Rows, centers: Floats) -> None:
        """Compare some objects with the last labels, which are new to them."""
        found = nearest_center(features, centers)
        label, known = new[found.center], self.nearest[rows]
        nearer = _is_nearer(
            found.squared, self.squared[rows], self.labels[label], self.labels[known]
        )
        self.nearest[rows[nearer]] = label[nearer]
        self.squared[rows[nearer]] = found.squared[nearer]
        self.compared[rows] = len(self.labels)


@contextmanager
def remembering(
    path: Path | None, n_objects: int, *, labeled_rows: Rows, center_rows: Rows
) -> Iterator[FindNearest | None]:
    """Find nearest centers with what earlier runs have found, and keep what is new.

    Args:
        path: the campaign's file; None where nothing is remembered.
        n_objects: of the pool.
        labeled_rows: rows of all labeled objects, ascending.
        center_rows: rows of these and of objects that are being looked at, ascending.
    """
    if path is None:
        yield None
        return
    known = remembered(path, n_objects).knowing(labeled_rows)
    yield partial(known.compare, center_rows)
    if known.compared.any():  # not every strategy takes distances
        remember(path, known)


def remembered(path: Path, n_objects: int) -> NearestLabels:
    """What earlier runs have found; nothing where it cannot be read."""
    try:
        found = NearestLabels(**load_arrays(path))
    except FileNotFoundError:
        return NearestLabels.unknown(n_objects)
    except (OSError, ValueError, TypeError, zipfile.BadZipFile) as error:
        logger.warning("%s: distances are computed anew: %s", path, error)
        return NearestLabels.unknown(n_objects)
    return found if len(found.compared) == n_objects else found.unknown(n_objects)


def remember(path: Path, found: NearestLabels) -> None:
    """Keep what was found; the file carries checksums of its own."""
    save_arrays(path, vars(found))


def _nearer(
    found: Nearest, others: Rows, features: Floats, other_centers: Floats
) -> Nearest:
    """The nearer of what was found and of a few other centers."""
    if len(others) == 0:
        return found
    rival = nearest_center(features, other_centers)
    place = others[rival.center]
    nearer = _is_nearer(rival.squared, found.squared, place, found.center)
    return Nearest(
        np.where(nearer, place, found.center),
        np.where(nearer, rival.squared, found.squared),
    )


def _is_nearer(
    squared: NDArray[np.float64],
    other_squared: NDArray[np.float64],
    place: NDArray[np.integer],
    other_place: NDArray[np.integer],
) -> NDArray[np.bool_]:
    """Whether one is nearer than another; of two equally near ones the first is."""
    tie = (squared == other_squared) & (place < other_place)
    return np.asarray((squared < other_squared) | tie)
