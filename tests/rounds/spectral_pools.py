"""A small pool of which some objects have spectra whose redshift is known."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
from sqlalchemy.orm import Session, sessionmaker

from al_service.rounds import pools
from al_service.survey.photometry_columns import PHOTOMETRY_COLUMNS
from al_service.survey.pool_arrays import PoolColumns, write_pool_arrays
from al_service.survey.spectra import N_PIXELS
from tests.features.scan.skies import emission_line_galaxy, noisy
from tests.survey.images.stamps import stamps

N_OBJECTS: Final = 300
"""Two parts of a scan."""

REDSHIFTS: Final = {3: 0.05, 5: 0.12, 8: 0.2, 40: 0.3, 250: 0.15}
"""Row to the redshift of its spectrum."""

UNUSABLE: Final = 6
"""A row whose spectrum has not one good pixel."""

WITH_IMAGES: Final = range(8)
"""Rows that have images."""


def name_of(row: int) -> str:
    return f"SDSS J{row:06d}"


def write_spectral_pool(
    path: Path, called: Mapping[int, str] = MappingProxyType({})
) -> None:
    """The arrays alone; some rows may have names of their own."""
    spectra = np.zeros((N_OBJECTS, 2, N_PIXELS), dtype=np.float32)
    for row, z in REDSHIFTS.items():
        flux, ivar = noisy(emission_line_galaxy(z), 20.0, seed=row)
        ivar[:, :250] = 0.0  # the blue end, which SDSS-I did not see
        spectra[row] = np.concatenate([flux * (ivar > 0), ivar])
    images = np.zeros((N_OBJECTS, *stamps(1).shape[1:]), dtype=np.float32)
    images[: len(WITH_IMAGES)] = stamps(len(WITH_IMAGES))
    rows = np.arange(N_OBJECTS)
    names = np.array([called.get(row, name_of(row)) for row in range(N_OBJECTS)])
    write_pool_arrays(
        path,
        PoolColumns(
            object_ids=names,
            group_ids=names,
            ra=np.asarray(rows * 0.5, dtype=np.float64),
            dec=np.asarray(rows * 0.1, dtype=np.float64),
            known_values=np.zeros((N_OBJECTS, 0)),
            known_errors=np.zeros((N_OBJECTS, 0)),
        ),
        photometry=np.ones((N_OBJECTS, len(PHOTOMETRY_COLUMNS))),
        image=images,
        has_image=rows < len(WITH_IMAGES),
        spectrum=spectra,
        has_spectrum=np.isin(rows, [*REDSHIFTS, UNUSABLE]),
    )


def import_spectral_pool(
    sessions: sessionmaker[Session],
    artifacts: Path,
    name: str = "spectral",
    *,
    called: Mapping[int, str] = MappingProxyType({}),
) -> int:
    """A visible pool, not scanned; answers its id."""
    folder = f"{pools.POOLS_FOLDER}/{name}"
    write_spectral_pool(artifacts / folder, called)
    with sessions.begin() as session:
        pool = pools.import_pool(
            session, name, artifacts=artifacts, folder=folder, seed=0
        )
        return pool.id
