"""Small survey files, written as the data models say, and spoiled on request."""

from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.table import Table

FIRST_LOGLAM = 3.5800
N_PIXELS = 3800
LINE_AT = 1500
"""Pixel of the file that holds a bright line."""


def coadd_columns() -> dict[str, np.ndarray]:
    """Columns of HDU 1 of a `spec` file: a flat spectrum with one line."""
    flux = np.ones(N_PIXELS, dtype=np.float32)
    flux[LINE_AT] = 50.0
    return {
        "flux": flux,
        "loglam": (FIRST_LOGLAM + 1e-4 * np.arange(N_PIXELS)).astype(np.float32),
        "ivar": np.full(N_PIXELS, 4.0, dtype=np.float32),
        "and_mask": np.zeros(N_PIXELS, dtype=np.int32),
        "or_mask": np.zeros(N_PIXELS, dtype=np.int32),
        "sky": np.full(N_PIXELS, 2.0, dtype=np.float32),
    }


def object_columns() -> dict[str, Any]:
    """Columns of HDU 2: what the pipeline made of it."""
    return {
        "PLATE": np.array([266], dtype=np.int32),
        "MJD": np.array([51630], dtype=np.int32),
        "FIBERID": np.array([31], dtype=np.int32),
        "PLUG_RA": np.array([146.2]),
        "PLUG_DEC": np.array([-0.4]),
        "CLASS": np.array(["GALAXY"]),
        "SUBCLASS": np.array([""]),
        "Z": np.array([0.1], dtype=np.float32),
        "Z_ERR": np.array([1e-5], dtype=np.float32),
        "ZWARNING": np.array([4], dtype=np.int32),
        "SN_MEDIAN": np.array([[1.0, 2.0, 3.0, 4.0, 5.0]], dtype=np.float32),
        "SN_MEDIAN_ALL": np.array([2.5], dtype=np.float32),
        "SPECOBJID": np.array([299489676975171584], dtype=np.uint64),
    }


def table(columns: dict[str, Any], name: str = "") -> fits.BinTableHDU:
    """A binary table of some columns."""
    return fits.BinTableHDU(Table(columns), name=name)


def write_spec(
    path: Path,
    *,
    coadd: dict[str, Any] | None = None,
    row: dict[str, Any] | None = None,
    drop: tuple[str, ...] = (),
) -> Path:
    """A `spec` file whose columns are replaced or dropped as told."""
    first = {**coadd_columns(), **(coadd or {})}
    second = {**object_columns(), **(row or {})}
    for name in drop:
        first.pop(name, None)
        second.pop(name, None)
    fits.HDUList(
        [fits.PrimaryHDU(), table(first, "COADD"), table(second, "SPECOBJ")]
    ).writeto(path)
    return path


def plate_hdus(n_fibers: int = 3) -> list[Any]:
    """The HDUs of an `spPlate` file whose third fiber is unplugged."""
    shape = (n_fibers, N_PIXELS)
    flux = np.ones(shape, dtype=np.float32)
    flux[np.arange(n_fibers), LINE_AT] = 10.0 * np.arange(1, n_fibers + 1)
    ivar = np.full(shape, 4.0, dtype=np.float32)
    ivar[2] = 0.0
    primary = fits.PrimaryHDU(flux)
    primary.header.update(COEFF0=FIRST_LOGLAM, COEFF1=1e-4, PLATEID=4055, MJD=55359)
    mask = np.zeros(shape, dtype=np.int32)
    plugs = table(
        {
            "FIBERID": np.arange(1, n_fibers + 1, dtype=np.int32),
            "RA": np.linspace(10.0, 11.0, n_fibers),
            "DEC": np.linspace(-1.0, 1.0, n_fibers),
        }
    )
    return [
        primary,
        fits.ImageHDU(ivar),
        fits.ImageHDU(mask),
        fits.ImageHDU(mask),
        fits.ImageHDU(np.ones(shape, dtype=np.float32)),
        plugs,
        fits.ImageHDU(np.full(shape, 2.0, dtype=np.float32)),
    ]


def write_plate(path: Path, hdus: list[Any]) -> Path:
    """An `spPlate` file."""
    fits.HDUList(hdus).writeto(path)
    return path
