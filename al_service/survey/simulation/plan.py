"""What a simulation will take, said before it begins."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from al_service.errors import InvalidInput
from al_service.survey.images.stamp import STAMP_SHAPE
from al_service.survey.simulation.settings import SimulationSettings
from al_service.survey.spectra.grid import N_PIXELS

MOST_OBJECTS: Final = 10_000_000
"""A name has seven digits, and small columns of as many take 3 GB of memory."""

SPARE_BYTES: Final = 200 * 10**6
"""Left free on the disk: sizes in a plan are typical ones."""

IMAGE_BYTES: Final = 4 * int(np.prod(STAMP_SHAPE))
SPECTRUM_BYTES: Final = 4 * 2 * N_PIXELS

OTHER_BYTES: Final = 1000
"""Of an object on disk: fluxes, truth, names and labels, and its row in PostgreSQL."""

OBJECTS_PER_SECOND: Final = 200.0
"""On one core that others use as well; only for the plan."""


@dataclass(frozen=True)
class SimulationPlan:
    """Counts and sizes; sizes are those before compression, which noise resists."""

    objects: int
    images: int
    spectra: int

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return (
            self.images * IMAGE_BYTES
            + self.spectra * SPECTRUM_BYTES
            + self.objects * OTHER_BYTES
        )

    @property
    def seconds(self) -> float:
        """Of one core."""
        return self.objects / OBJECTS_PER_SECOND

    def as_json(self) -> dict[str, Any]:  # JSON
        """For reports."""
        return {
            "objects": self.objects,
            "images": self.images,
            "spectra": self.spectra,
            "bytes": self.size,
            "seconds": round(self.seconds, 1),
        }

    def check_room(self, folder: Path) -> None:
        """Refuse what the disk cannot hold.

        Args:
            folder: where the survey will be written.

        Raises:
            InvalidInput: with what is wanted and what is free.
        """
        free = shutil.disk_usage(folder).free
        if free < self.size + SPARE_BYTES:
            raise InvalidInput(
                f"{folder}: expected room for {self.size + SPARE_BYTES:,} bytes,"
                f" which {self.objects:,} objects take, found {free:,}"
            )


def plan_simulation(n_objects: int, settings: SimulationSettings) -> SimulationPlan:
    """Count what will be made.

    Args:
        n_objects: how many.
        settings: with the shares that have no image and no spectrum.

    Raises:
        InvalidInput: nothing, or more than there can be.
    """
    if not 1 <= n_objects <= MOST_OBJECTS:
        raise InvalidInput(
            f"objects: expected 1 to {MOST_OBJECTS:,}, found {n_objects:,}"
        )
    gaps = settings.gaps
    return SimulationPlan(
        n_objects,
        images=round(n_objects * (1 - gaps.without_image)),
        spectra=round(n_objects * (1 - gaps.without_spectrum)),
    )
