"""The objects of an experiment: a pool, its scan, its latents, and who examines."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from al_service.features.kept_pixels import KeptPixels
from al_service.features.preparation import PIXELS_OF
from al_service.studies.experiment.division import Division, divide
from al_service.studies.experiment.measurements import Measurements
from al_service.studies.experiment.settings import ExperimentSettings
from al_service.studies.experiment.system import Examples
from al_service.survey.atomic_folder import manifest_digest
from al_service.survey.pool_arrays import PoolArrays
from al_service.survey.pool_view import PoolView
from al_service.survey.simulation.simulate import read_latents

LATENTS_FOLDER: Final = "latents"
"""Beside a simulated pool's arrays."""

LEAST_LABELS: Final = 30
"""Of a target, below which one of three sides may be left without any."""

_DIGITS: Final = 16
"""Hexadecimal digits of a sky's digest in a folder's name: enough among all skies."""


@dataclass(frozen=True)
class ExperimentSky:
    """A pool as experiments see it."""

    arrays: PoolArrays
    scan: NDArray[np.float64] | None = None
    """`N x 3` as `Inputs.scan`; None where nobody has scanned."""
    latents: NDArray[np.float64] | None = None
    """`N x K` noise-free numbers that a simulator started from."""
    examines: NDArray[np.bool_] | None = None
    """`N` flags: a published split's test objects; None: they are drawn."""
    pixels: KeptPixels | None = None
    """Where prepared pixels are kept; None: prepared whenever somebody looks."""

    @property
    def digest(self) -> str:
        """Of the pool's arrays and of what the scan says of them."""
        digest = hashlib.sha256(manifest_digest(self.arrays.path).encode())
        if self.scan is not None:
            digest.update(np.ascontiguousarray(self.scan).tobytes())
        return digest.hexdigest()

    @property
    def targets(self) -> tuple[str, ...]:
        """Names of those that enough objects have a label of."""
        return tuple(self.arrays.targets[column] for column in self._columns)

    @property
    def _columns(self) -> NDArray[np.int64]:
        known = np.isfinite(self.arrays.known_values).sum(axis=0)
        return np.flatnonzero(known >= LEAST_LABELS)

    def keeping_pixels(self, folder: Path) -> Self:
        """The same objects, whose pixels are prepared once.

        Args:
            folder: of the prepared pixels of all skies.
        """
        if not set(PIXELS_OF) & set(self.arrays.modalities):
            return self
        place = folder / self.digest[:_DIGITS]
        return replace(self, pixels=KeptPixels(self.arrays, self.scan, place))

    def divide(self, settings: ExperimentSettings, seed: int) -> Division:
        """Who teaches, tunes and examines under a seed."""
        return divide(self.arrays, settings, seed=seed, examines=self.examines)

    def examples(
        self, rows: NDArray[np.int64], modalities: tuple[str, ...]
    ) -> Examples:
        """Labeled objects with some of what was observed of them, in memory.

        Their labels are of the `targets`.
        """
        columns = self._columns
        latents = None if self.latents is None else self.latents[rows]
        if self.pixels is None:
            view = PoolView(self.arrays, rows, self.scan, frozenset(modalities))
            inputs = view.take(slice(None))
        else:
            inputs = self.pixels.inputs(rows, modalities)
        return Examples(
            Measurements(inputs, latents),
            self.arrays.known_values[np.ix_(rows, columns)],
            self.arrays.known_errors[np.ix_(rows, columns)],
            self.arrays.group_ids[rows],
        )


def with_latents(
    arrays: PoolArrays, scan: NDArray[np.float64] | None = None
) -> ExperimentSky:
    """A pool; what a simulator started from is at hand where it was simulated.

    Args:
        arrays: the pool.
        scan: as `ExperimentSky.scan`.
    """
    if not (arrays.path / LATENTS_FOLDER).is_dir():
        return ExperimentSky(arrays, scan)
    latents = np.column_stack([*read_latents(arrays).values()]).astype(np.float64)
    return ExperimentSky(arrays, scan, latents)
