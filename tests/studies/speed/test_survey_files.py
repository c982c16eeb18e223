from pathlib import Path

import numpy as np
import pytest

from al_service.studies.speed import scanning
from al_service.studies.speed.measuring import peak_mb
from al_service.studies.speed.survey_files import (
    read_barely,
    read_catalog_barely,
    write_catalog,
    write_spectra,
)
from al_service.survey.catalogs.catalog import open_catalog
from al_service.survey.spectra import find_spectrum_files, read_folder


def test_written_spectra_are_survey_files_of_different_fibers(tmp_path: Path) -> None:
    write_spectra(tmp_path / "spectra", 700)
    files = find_spectrum_files(tmp_path / "spectra")
    spectra = list(read_folder(tmp_path / "spectra"))
    assert [f"spec-{one.name}.fits" for one in spectra] == [f.name for f in files]
    assert spectra[640].name == "0002-51630-0001"
    assert len({(one.ra, one.dec) for one in spectra}) == 700
    assert spectra[0].z == pytest.approx(0.1)
    assert read_barely(files[:2]) == pytest.approx(2 * read_barely(files[:1]), abs=2)


def test_a_written_catalog_is_understood_as_it_is(tmp_path: Path) -> None:
    write_catalog(tmp_path / "catalog.csv", 500)
    with open_catalog(tmp_path / "catalog.csv", {}) as catalog:
        (part,) = catalog.parts()
    assert (len(part.object_ids), part.problems) == (500, [])
    assert np.isfinite(part.photometry[:, :10]).mean() > 0.9
    assert read_catalog_barely(tmp_path / "catalog.csv") == 500


def test_numbers_that_are_whole_in_the_first_block_may_be_fractions_later(
    tmp_path: Path,
) -> None:
    # The first ten thousand declinations are -60, which Arrow once took for the type.
    write_catalog(tmp_path / "catalog.csv", 20_001)
    assert read_catalog_barely(tmp_path / "catalog.csv") == 20_001


def test_the_galaxies_of_the_benchmark_are_where_they_say() -> None:
    share = scanning.scan_some(3, 12)
    assert (share.spectra, share.right) == (12, 12)
    assert 0 < share.peak_mb <= peak_mb()
