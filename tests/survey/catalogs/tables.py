"""A small catalog, and the same in every format."""

import gzip
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from astropy.table import Table

from al_service.survey.photometry_columns import BANDS

N: Final = 40
FIRST_ID: Final = 1237650000000000001


def galaxies(n: int = N) -> Table:
    """Galaxies as SkyServer gives them: asinh magnitudes, objid, z."""
    row = np.arange(n)
    table = Table()
    table["objid"] = [str(FIRST_ID + 7 * k) for k in row]
    table["ra"] = np.linspace(0.5, 300.0, n)
    table["dec"] = np.linspace(-80.0, 80.0, n)
    for place, band in enumerate(BANDS):
        table[f"modelMag_{band}"] = 19.0 - 0.4 * place + row / 100
        table[f"modelMagErr_{band}"] = np.full(n, 0.05)
        table[f"petroMag_{band}"] = 19.1 - 0.4 * place + row / 100
        table[f"petroMagErr_{band}"] = np.full(n, 0.06)
        table[f"extinction_{band}"] = np.full(n, 0.1)
    table["z"] = np.linspace(0.01, 0.2, n)
    table["zErr"] = np.full(n, 1e-5)
    return table


def write_csv(table: Table, path: Path) -> None:
    table.write(path, format="ascii.csv", overwrite=True)


def write_skyserver(table: Table, path: Path) -> None:
    write_csv(table, path)
    path.write_text("#Table1\n" + path.read_text().replace("\n", "\r\n"))


def write_gzip(table: Table, path: Path) -> None:
    write_csv(table, path)
    path.write_bytes(gzip.compress(path.read_bytes()))


def write_ecsv(table: Table, path: Path) -> None:
    with_units(table).write(path, format="ascii.ecsv", overwrite=True)


def write_fits(table: Table, path: Path) -> None:
    with_units(table).write(path, format="fits", overwrite=True)


def write_votable(table: Table, path: Path) -> None:
    with_units(table).write(path, format="votable", overwrite=True)


def write_binary_votable(table: Table, path: Path) -> None:
    table.write(path, format="votable", tabledata_format="binary2", overwrite=True)


def write_parquet(table: Table, path: Path) -> None:
    columns = {name: table[name].tolist() for name in table.colnames}
    pq.write_table(pa.table(columns), path)


def with_units(table: Table) -> Table:
    copied = table.copy()
    for name in copied.colnames:
        if "Mag" in name or name.startswith("extinction"):
            copied[name].unit = "mag"
    copied["ra"].unit = copied["dec"].unit = "deg"
    return copied


Writer = Callable[[Table, Path], None]

WRITERS: Final[Mapping[str, Writer]] = {
    "csv": write_csv,
    "skyserver": write_skyserver,
    "csv.gz": write_gzip,
    "ecsv": write_ecsv,
    "fits": write_fits,
    "votable": write_votable,
    "binary votable": write_binary_votable,
    "parquet": write_parquet,
}


def changed(column: str, row: int, value: Any, n: int = N) -> Table:  # Any: a cell
    """The catalog with one cell changed; the column takes the value's type."""
    table = galaxies(n)
    cells = table[column].tolist()
    cells[row] = value
    table[column] = [str(cell) for cell in cells] if isinstance(value, str) else cells
    return table
