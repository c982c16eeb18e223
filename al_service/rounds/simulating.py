"""Simulated surveys become pools: by the same steps as imported ones."""

from pathlib import Path

from sqlalchemy.orm import Session, sessionmaker

from al_service.rounds.importing import make_pool
from al_service.survey.importing.request import Progress
from al_service.survey.simulation.settings import SimulationSettings
from al_service.survey.simulation.simulate import fill_folder


def simulate_pool(
    sessions: sessionmaker[Session],
    name: str,
    n_objects: int,
    settings: SimulationSettings,
    *,
    artifacts: Path,
    seed: int,
    progress: Progress,
) -> tuple[str, bool]:
    """Make a pool of simulated objects.

    Args:
        sessions: of the database.
        name: how campaigns will address the pool.
        n_objects: how many.
        settings: of the survey.
        artifacts: folder of arrays and checkpoints.
        seed: of the survey, and of the pool's split.
        progress: told how far the stages are.

    Returns:
        The digest of the manifest, and whether the pool was there already.

    Raises:
        Conflict: the name is taken by a pool of other content, or is being made.
        InvalidInput: the name or the number makes no sense, or the disk is too small.
    """

    def fill(folder: Path) -> str:
        return fill_folder(
            folder,
            n_objects,
            settings,
            seed=seed,
            progress=lambda done: progress("simulating objects", done, n_objects),
        )

    return make_pool(
        sessions, name, fill, artifacts=artifacts, seed=seed, progress=progress
    )
