"""A simulated survey as a pool: any number of objects, written in batches.

Beside what every pool has, its folder holds `latents/`, a Zarr array `N x K` of what
is true of each object (`LATENTS` names its columns): for figures that show how well
anybody could do, never for a model.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import zarr
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from al_service.errors import InvalidInput
from al_service.survey.atomic_folder import new_folder
from al_service.survey.images.stamp import STAMP_SHAPE
from al_service.survey.photometry_columns import PHOTOMETRY_COLUMNS
from al_service.survey.pool_arrays import (
    PoolArrays,
    PoolColumns,
    finish_pool_folder,
)
from al_service.survey.pool_writer import GrowingArray
from al_service.survey.simulation.anchors import Anchors, read_anchors
from al_service.survey.simulation.objects import (
    BATCH,
    LATENTS,
    Batch,
    simulate_batch,
)
from al_service.survey.simulation.plan import plan_simulation
from al_service.survey.simulation.settings import (
    SimulationSettings,
    default_settings,
)
from al_service.survey.spectra.grid import N_PIXELS
from al_service.survey.targets import DEFAULT_TARGETS

ROW_SHAPES: Final = {
    "photometry": (len(PHOTOMETRY_COLUMNS),),
    "image": STAMP_SHAPE,
    "spectrum": (2, N_PIXELS),
}

_LATENTS: Final = "latents"

_APART_ARCSEC: Final = 20.0
"""Between objects made of one galaxy: further than any match by position reaches."""

Progress = Callable[[int], None]


def simulate(
    folder: Path,
    n_objects: int,
    settings: SimulationSettings | None = None,
    *,
    seed: int,
    progress: Progress = lambda _: None,
) -> PoolArrays:
    """Write a simulated survey; the folder appears complete or not at all.

    Args:
        folder: to create; one that exists stays as it is.
        n_objects: how many.
        settings: of the survey; None for the frozen ones.
        seed: decides everything.
        progress: told how many objects are written.
    """
    with new_folder(folder) as partial:
        fill_folder(partial, n_objects, settings, seed=seed, progress=progress)
    return PoolArrays.open(folder)


def fill_folder(
    folder: Path,
    n_objects: int,
    settings: SimulationSettings | None = None,
    *,
    seed: int,
    progress: Progress = lambda _: None,
) -> str:
    """Fill a folder that nobody sees yet with a simulated survey.

    Args:
        folder: empty.
        n_objects: how many.
        settings: of the survey; None for the frozen ones.
        seed: decides everything.
        progress: told how many objects are written.

    Returns:
        The digest of the manifest: the same for the same arguments.

    Raises:
        InvalidInput: there are too few or too many objects, or too small a disk.
    """
    settings = settings or default_settings()
    plan_simulation(n_objects, settings).check_room(folder)
    anchors = read_anchors(settings.anchors)
    arrays = {
        name: GrowingArray(folder / name, ROW_SHAPES[name]) for name in ROW_SHAPES
    }
    arrays[_LATENTS] = GrowingArray(folder / _LATENTS, (len(LATENTS),))
    small = _SmallColumns(seed)
    # Small products: a second thread waits for work twice as long as it works.
    with threadpool_limits(1, user_api="blas"):
        for first in range(0, n_objects, BATCH):
            count = min(BATCH, n_objects - first)
            batch = simulate_batch(
                anchors, first // BATCH, count, settings=settings, seed=seed
            )
            for name in ROW_SHAPES:
                arrays[name].append(getattr(batch, name))
            arrays[_LATENTS].append(batch.latents)
            small.add(batch, first)
            progress(first + count)
    for array in arrays.values():
        array.finish()
    return finish_pool_folder(
        folder,
        small.columns(),
        small.flags(),
        targets=DEFAULT_TARGETS,
        row_shapes=ROW_SHAPES,
        facts=_facts(settings, seed, anchors),
    )


def read_latents(arrays: PoolArrays) -> dict[str, NDArray[np.float32]]:
    """What is true of the objects of a simulated pool: name to `N` numbers.

    Raises:
        InvalidInput: the pool was not simulated.
    """
    path = arrays.path / _LATENTS
    if not path.is_dir():
        raise InvalidInput(
            f"{arrays.path}: expected a simulated pool, found no latents"
        )
    table = np.asarray(zarr.open_array(path, mode="r")[:], dtype=np.float32)
    return {name: table[:, column] for column, name in enumerate(LATENTS)}


class _SmallColumns:
    """What is small enough to wait in memory for the end: some 300 bytes an object."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._parts: dict[str, list[NDArray[Any]]] = {}  # Any: text, numbers, flags

    def add(self, batch: Batch, first: int) -> None:
        """Remember a batch that begins with object number `first`."""
        count = len(batch.rounds)
        ra, dec = _places(batch)
        numbers = range(first, first + count)
        gaps = batch.gaps
        for name, part in {
            "ids": np.array([f"sim-{self._seed}-{number:07d}" for number in numbers]),
            "groups": batch.anchors.group_ids,
            "ra": ra,
            "dec": dec,
            "values": batch.values,
            "errors": batch.errors,
            "has_photometry": np.asarray(np.isfinite(batch.photometry).any(axis=1)),
            "has_image": gaps.has_image,
            "has_spectrum": gaps.has_spectrum,
        }.items():
            self._parts.setdefault(name, []).append(part)

    def columns(self) -> PoolColumns:
        """The columns of all objects."""
        return PoolColumns(
            object_ids=self._all("ids"),
            group_ids=self._all("groups"),
            ra=self._all("ra"),
            dec=self._all("dec"),
            known_values=self._all("values"),
            known_errors=self._all("errors"),
        )

    def flags(self) -> dict[str, NDArray[np.bool_]]:
        """Modality to `N` flags."""
        return {name: self._all(f"has_{name}") for name in ROW_SHAPES}

    def _all(self, name: str) -> NDArray[Any]:  # Any: as added
        return np.concatenate(self._parts[name])


def _places(batch: Batch) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Those of the real galaxies; objects of one galaxy stand toward the equator."""
    away = batch.rounds * _APART_ARCSEC / 3600.0
    dec = batch.anchors.dec + np.where(batch.anchors.dec > 0, -away, away)
    return batch.anchors.ra, dec


def _facts(
    settings: SimulationSettings, seed: int, anchors: Anchors
) -> dict[str, Any]:  # Any: JSON values
    return {
        "simulation": {
            "settings": settings.model_dump(mode="json"),
            "seed": seed,
            "real_galaxies": len(anchors),
            "latents": list(LATENTS),
        }
    }
