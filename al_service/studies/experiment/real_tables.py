"""Published tables of real galaxies become pools of photometry.

The files are not part of the project; `docs/experiments.md` says where they are from.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from al_service.errors import InvalidInput
from al_service.studies.experiment.sky import ExperimentSky
from al_service.survey.photometry_columns import (
    BANDS,
    MODEL_FLUX,
    MODEL_FLUX_ERROR,
    PHOTOMETRY_COLUMNS,
)
from al_service.survey.pool_arrays import PoolArrays, PoolColumns, write_pool_arrays
from al_service.survey.targets import Target

MGS: Final = "mgs"
ECO_RESOLVE: Final = "eco_resolve"

_MGS_COLUMNS: Final = 15
"""z, five magnitudes, four colors, five errors."""

_ZERO_POINT: Final = 22.5
"""Magnitude of one nanomaggy."""

_COMMON_MODULUS: Final = 35.0
"""Every galaxy is moved to 100 Mpc: apparent magnitudes there are absolute ones plus
this, within the range that the service's photometry is made for."""

Floats = NDArray[np.float64]


def read_mgs(data: Path) -> tuple[Floats, Floats, Floats, NDArray[np.bool_]]:
    """Main-sample galaxies in two published halves.

    Args:
        data: folder that holds `mgs/SDSS_MGS.train` and `.test`.

    Returns:
        Magnitudes and their errors, `N x B`, redshifts `N x 1`, and which examine.
    """
    halves = [_numbers(data / "mgs" / f"SDSS_MGS.{half}") for half in ("train", "test")]
    table = np.concatenate(halves)
    examines = np.arange(len(table)) >= len(halves[0])
    return table[:, 1:6], table[:, 10:15], table[:, :1], examines


def read_eco_resolve(data: Path) -> tuple[Floats, Floats, Floats, None]:
    """Nearby galaxies with star-formation rates from the ultraviolet (ECO, RESOLVE).

    Args:
        data: folder that holds `eco_resolve_ugriz_z_sfr.parquet`.

    Returns:
        Magnitudes at 100 Mpc and their unknown errors, `N x B`, log10 of Msun/yr
        `N x 1`, and no published split.
    """
    path = _existing(data / "eco_resolve_ugriz_z_sfr.parquet")
    names = [*(f"{band}mag" for band in BANDS), "absrmag", "log_sfr"]
    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise InvalidInput(f"{path}: expected a Parquet table: {error}") from error
    missing = sorted(set(names) - set(table.column_names))
    if missing:
        raise InvalidInput(f"{path}: expected columns {names}, found none of {missing}")
    column: dict[str, Floats] = {
        name: np.asarray(table[name].to_numpy(), dtype=np.float64) for name in names
    }
    moved = column["absrmag"] - column["rmag"] + _COMMON_MODULUS
    magnitudes = np.stack([column[f"{band}mag"] + moved for band in BANDS], axis=1)
    unknown = np.full(magnitudes.shape, np.nan)
    return magnitudes, unknown, column["log_sfr"][:, None], None


Reader = Callable[[Path], tuple[Floats, Floats, Floats, NDArray[np.bool_] | None]]

TABLES: Final[Mapping[str, tuple[Reader, Target]]] = {
    MGS: (read_mgs, Target.Z),
    ECO_RESOLVE: (read_eco_resolve, Target.SFR_MEDIAN),
}
"""Name of the pool to its reader and its only target."""


def open_table(name: str, data: Path, folder: Path) -> ExperimentSky:
    """A published table as an experiment sees it.

    Args:
        name: one of `TABLES`.
        data: where the published files are.
        folder: of pools; written there once.
    """
    read, target = TABLES[name]
    magnitudes, errors, values, examines = read(data)
    n = len(values)
    ids = np.array([f"{name}-{number:05d}" for number in range(n)])
    columns = PoolColumns(
        object_ids=ids,
        group_ids=ids,
        ra=np.full(n, np.nan),
        dec=np.full(n, np.nan),
        known_values=values,
        known_errors=np.full(values.shape, np.nan),
    )
    path = folder / name
    write_pool_arrays(
        path,
        columns,
        photometry=_photometry(magnitudes, errors),
        targets=(target.value,),
    )
    return ExperimentSky(PoolArrays.open(path), examines=examines)


def _photometry(magnitudes: Floats, errors: Floats) -> NDArray[np.float32]:
    """`N x P` columns of `PHOTOMETRY_COLUMNS`, NaN where the table has nothing."""
    columns = np.full((len(magnitudes), len(PHOTOMETRY_COLUMNS)), np.nan)
    flux = 10.0 ** (0.4 * (_ZERO_POINT - magnitudes))
    columns[:, MODEL_FLUX] = flux
    columns[:, MODEL_FLUX_ERROR] = flux * errors * (0.4 * np.log(10.0))
    return columns.astype(np.float32)


def _numbers(path: Path) -> Floats:
    """A table of text whose rows have all of the columns."""
    try:
        table = np.loadtxt(_existing(path), ndmin=2)
    except ValueError as error:
        raise InvalidInput(f"{path}: expected rows of numbers: {error}") from error
    if table.shape[1] < _MGS_COLUMNS:
        raise InvalidInput(
            f"{path}: expected {_MGS_COLUMNS} columns, found {table.shape[1]}"
        )
    return table


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise InvalidInput(
            f"{path}: expected a published table, found no such file: --data names "
            "the folder"
        )
    return path
