"""The objects of an experiment: a pool, its scan, its latents, and who examines."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

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

    @property
    def digest(self) -> str:
        """Of the pool's arrays."""
        return manifest_digest(self.arrays.path)

    def divide(self, settings: ExperimentSettings, seed: int) -> Division:
        """Who teaches, tunes and examines under a seed."""
        return divide(self.arrays, settings, seed=seed, examines=self.examines)

    def examples(
        self, rows: NDArray[np.int64], modalities: tuple[str, ...]
    ) -> Examples:
        """Labeled objects with some of what was observed of them, in memory."""
        latents = None if self.latents is None else self.latents[rows]
        view = PoolView(self.arrays, rows, self.scan, frozenset(modalities))
        return Examples(
            Measurements(view.take(slice(None)), latents),
            self.arrays.known_values[rows],
            self.arrays.known_errors[rows],
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
