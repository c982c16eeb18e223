"""As many survey files as one likes, and what it costs to read them at the barest."""

import io
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
from astropy.io import fits
from astropy.table import Table

from al_service.survey import sdss10k
from al_service.survey.photometry_columns import BANDS, MODEL_FLUX, MODEL_FLUX_ERROR
from al_service.survey.spectra.grid import LOGLAM_START, LOGLAM_STEP

PIXELS: Final = 3850
"""Of a spectrum of SDSS-I."""

FIRST_PIXEL: Final = 250

OTHER_COLUMNS: Final = 120
"""Real files describe their object in up to 236 columns, of which ten are read."""

FIBERS: Final = 640
"""Of a plate."""

MJD: Final = 51630

SPREAD: Final = 0.02
"""Degrees between two objects: further than any matching radius."""


def write_spectra(folder: Path, count: int) -> None:
    """Write `spec` files: one file's bytes with other fibers and positions.

    Args:
        folder: to create.
        count: how many.
    """
    folder.mkdir(parents=True)
    content, offset, row = _spec_file()
    for number in range(count):
        row["PLATE"], row["FIBERID"] = 1 + number // FIBERS, 1 + number % FIBERS
        row["PLUG_RA"] = SPREAD * (number % 10_000)
        row["PLUG_DEC"] = SPREAD * (number // 10_000)
        content[offset : offset + row.nbytes] = row.tobytes()
        name = f"spec-{1 + number // FIBERS:04d}-{MJD}-{1 + number % FIBERS:04d}.fits"
        (folder / name).write_bytes(content)


def _spec_file() -> tuple[bytearray, int, "np.ndarray[tuple[int], np.dtype[np.void]]"]:
    """Bytes of a file, where the row of its object stands, and that row."""
    generator = np.random.default_rng(0)
    pixels = np.arange(FIRST_PIXEL, FIRST_PIXEL + PIXELS)
    noise = generator.standard_normal(PIXELS).astype(np.float32)
    coadd = Table({"flux": 5.0 + noise})
    coadd["loglam"] = (LOGLAM_START + LOGLAM_STEP * pixels).astype(np.float32)
    coadd["ivar"] = np.ones(PIXELS, np.float32)
    for name in ("and_mask", "or_mask"):
        coadd[name] = np.zeros(PIXELS, np.int32)
    for name in ("wdisp", "sky", "model"):
        coadd[name] = np.ones(PIXELS, np.float32)
    one = Table({"PLATE": np.ones(1, np.int32), "MJD": np.full(1, MJD, np.int32)})
    one["FIBERID"] = np.ones(1, np.int32)
    one["PLUG_RA"], one["PLUG_DEC"] = np.zeros(1), np.zeros(1)
    one["CLASS"], one["SUBCLASS"] = ["GALAXY"], ["STARFORMING"]
    one["Z"], one["Z_ERR"] = np.full(1, 0.1, np.float32), np.full(1, 1e-5, np.float32)
    one["ZWARNING"] = np.zeros(1, np.int32)
    one["SN_MEDIAN_ALL"] = np.full(1, 5.0, np.float32)
    for number in range(OTHER_COLUMNS):
        one[f"OTHER_{number}"] = np.zeros(1, np.float32)
    hdus = [fits.PrimaryHDU(), fits.BinTableHDU(coadd), fits.BinTableHDU(one)]
    buffer = io.BytesIO()
    fits.HDUList(hdus).writeto(buffer)
    content = bytearray(buffer.getvalue())
    with fits.open(io.BytesIO(content)) as written:
        offset = int(written[2].fileinfo()["datLoc"])
        row = np.array(written[2].data.view(np.ndarray))
    return content, offset, row


def read_barely(files: list[Path]) -> float:
    """Open spectra with astropy and touch what an import needs of them.

    Returns:
        A number that depends on every file, so that nobody can skip one.
    """
    total = 0.0
    for path in files:
        with fits.open(path, memmap=False) as hdus:
            coadd, row = hdus[1].data, hdus[2].data
            for name in ("flux", "loglam", "ivar", "and_mask", "sky"):
                total += float(coadd[name][0])
            total += float(row["Z"][0] + row["PLUG_RA"][0] + row["FIBERID"][0])
    return total


def write_catalog(path: Path, count: int) -> None:
    """Write a CSV with positions, fluxes and redshifts of `sdss10k`, repeated."""
    columns, photometry = sdss10k.read_sdss10k()
    source = np.arange(count) % len(photometry)
    table: dict[str, pa.Array] = {
        "object_id": pa.array(np.char.add("copy-", np.arange(count).astype(str))),
        "ra": pa.array(SPREAD * (np.arange(count) % 10_000)),
        "dec": pa.array(SPREAD * (np.arange(count) // 10_000) - 60.0),
    }
    for place, band in enumerate(BANDS):
        for name, slot in (
            ("model_flux", MODEL_FLUX),
            ("model_flux_error", MODEL_FLUX_ERROR),
        ):
            table[f"{name}_{band}"] = pa.array(photometry[source, slot][:, place])
    table["z"] = pa.array(columns.known_values[source, 0])
    arrow_csv.write_csv(pa.table(table), path)


def read_catalog_barely(path: Path) -> int:
    """Read a CSV with Arrow on one thread; how many rows there are."""
    options = arrow_csv.ReadOptions(use_threads=False)
    with path.open() as text:
        names = text.readline().replace('"', "").strip().split(",")
    # Arrow takes the type from the first block, in which every number may be whole.
    types = dict.fromkeys(names, pa.float64()) | {names[0]: pa.string()}
    convert = arrow_csv.ConvertOptions(column_types=types)
    with arrow_csv.open_csv(
        path, read_options=options, convert_options=convert
    ) as reader:
        return sum(batch.num_rows for batch in reader)
