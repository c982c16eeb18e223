"""The real SDSS spectra that tests read where they are."""

import csv
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from al_service.survey.spectra import Spectrum, read_spectra

DATA = Path(
    os.environ.get("AL_TEST_DATA")
    or Path(__file__).resolve().parents[1].parent / "shared" / "data"
).resolve()  # tests may change their folder
"""Folder of real survey files: `AL_TEST_DATA`, by default beside the repository."""

needs_real_spectra = pytest.mark.skipif(
    not (DATA / "spectra.csv").is_file(),
    reason=f"no real SDSS spectra in {DATA}: set AL_TEST_DATA",
)


@dataclass(frozen=True)
class Catalogued:
    """What the survey's catalog says of a file."""

    file: str
    spectral_class: str
    subclass: str
    z: float
    zwarning: int
    sn_median: float


@cache
def catalog() -> tuple[Catalogued, ...]:
    """The rows of `spectra.csv`."""
    with (DATA / "spectra.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            Catalogued(
                row["file"],
                row["class"],
                row["subclass"],
                float(row["z"]),
                int(row["zwarning"]),
                float(row["sn_median"]),
            )
            for row in csv.DictReader(file)
        )


@cache
def real_spectra() -> tuple[Spectrum, ...]:
    """All of them, in the order of the catalog."""
    return tuple(
        spectrum
        for row in catalog()
        for spectrum in read_spectra(DATA / "spectra" / row.file)
    )


def real_arrays() -> tuple[np.ndarray, np.ndarray]:
    """`N x L` fluxes and trusted inverse variances."""
    spectra = real_spectra()
    return (
        np.stack([spectrum.flux for spectrum in spectra]),
        np.stack([spectrum.trusted_ivar for spectrum in spectra]),
    )
