"""What the archives have: galaxies, real spectra, frames in small."""

import bz2
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from astropy.io import fits

from al_service.fetch.sample import COLUMNS

Galaxy = Mapping[str, str]


class Shelves(Protocol):
    """Where the archives keep what they have."""

    files: dict[str, bytes]
    galaxies: list[Galaxy]


def galaxy(plate: int, mjd: int, fiber: int, *, number: int) -> Galaxy:
    """A row as SkyServer has it; `number` decides field and position."""
    run2d = "26" if plate < 3510 else "v5_13_2"
    code = 26 if run2d == "26" else (5 - 5) * 10000 + 13 * 100 + 2
    spec = plate << 50 | fiber << 38 | (mjd - 50000) << 24 | code << 10
    run, camcol, at = 94 + number // 4, 1 + number % 6, 100 + number // 2
    photo = 1 << 60 | 301 << 48 | run << 32 | camcol << 29 | at << 16 | 40 + number
    known: dict[str, Any] = {
        "specObjID": spec, "bestObjID": photo, "plate": plate, "mjd": mjd,
        "fiberID": fiber, "run2d": run2d, "ra": 150 + number / 10, "dec": 2.2,
        "class": "GALAXY", "z": 0.1, "zErr": 1e-5, "zWarning": 0, "snMedian": 12.0,
        "run": run, "rerun": 301, "camcol": camcol, "field": at,
    }  # fmt: skip
    return {name: str(known.get(name, 1.5)) for name in COLUMNS}


def frame_bytes(seed: int) -> bytes:
    """A frame in small: an image with header, compressed as the archive does."""
    pixels = np.random.default_rng(seed).normal(0, 0.03, (32, 48)).astype(np.float32)
    unpacked = io.BytesIO()
    fits.PrimaryHDU(pixels).writeto(unpacked)
    return bz2.compress(unpacked.getvalue())


def stock(archives: Shelves, spectra: list[Path], *, bands: str = "ugriz") -> None:
    """Put real spectra where DR17 has them, and a frame in every band beside them."""
    for number, path in enumerate(spectra):
        plate, mjd, fiber = (int(part) for part in path.stem.split("-")[1:])
        row = galaxy(plate, mjd, fiber, number=number)
        archives.galaxies.append(row)
        survey = "sdss" if row["run2d"] == "26" else "eboss"
        lite = f"dr17/{survey}/spectro/redux/{row['run2d']}/spectra/lite/{plate:04d}"
        archives.files[f"{lite}/{path.name}"] = path.read_bytes()
        run, camcol, at = (int(row[name]) for name in ("run", "camcol", "field"))
        frames = f"dr17/eboss/photoObj/frames/301/{run}/{camcol}"
        for band in bands:
            name = f"frame-{band}-{run:06d}-{camcol}-{at:04d}.fits.bz2"
            archives.files[f"{frames}/{name}"] = frame_bytes(number)
