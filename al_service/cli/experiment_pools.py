"""Which pool an experiment runs on, with its scan and its latents."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from rich.console import Console

from al_service.cli.home import read_settings, workplace
from al_service.features.pool_scan import scan_pool
from al_service.rounds.artifacts import Artifacts
from al_service.rounds.pools import POOLS_FOLDER, find_pool
from al_service.studies.experiment.real_tables import TABLES, open_table
from al_service.studies.experiment.sky import ExperimentSky, with_latents
from al_service.survey import sdss10k
from al_service.survey.pool_arrays import PoolArrays

_LINE_EVERY = 1000
"""Spectra between two lines about the scan."""


@contextmanager
def experiment_sky(
    name: str, home: Path, data: Path, console: Console
) -> Iterator[ExperimentSky]:
    """A pool by name; only an imported pool needs the home's database.

    Args:
        name: `sdss10k`, a published table, or a pool of the home.
        home: of the service.
        data: where published tables are.
        console: hears about the scan of a pool with spectra.
    """
    artifacts = read_settings(home).artifacts_folder
    if name in TABLES:
        yield open_table(name, data, artifacts / "tables")
        return
    if name == sdss10k.POOL_NAME:
        path = artifacts / POOLS_FOLDER / name
        sdss10k.write_sdss10k(path)
        yield ExperimentSky(PoolArrays.open(path))
        return
    # An experiment takes hours and the database seconds: it need not wait.
    with workplace(home) as place, place.sessions() as session:
        path = artifacts / find_pool(session, name).arrays
    yield _scanned(PoolArrays.open(path), Artifacts(artifacts).scans, console)


def _scanned(arrays: PoolArrays, folder: Path, console: Console) -> ExperimentSky:
    """The pool with the redshifts that its spectra show, and its latents if any."""
    if "spectrum" not in arrays.modalities:
        return with_latents(arrays)

    def said(done: int, total: int) -> None:
        if done == total or done % _LINE_EVERY == 0:
            console.print(f"scan: {done}/{total} spectra", highlight=False)

    scan = scan_pool(arrays, folder, on_progress=said)
    columns = np.column_stack([scan.z, scan.z_error, scan.confidence])
    return with_latents(arrays, columns)
