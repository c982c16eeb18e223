"""Catalogs of every format say the same."""

from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table

from al_service.errors import InvalidInput, UnreadableFile
from al_service.survey.catalogs import text_table
from al_service.survey.catalogs.catalog import CatalogPart, open_catalog
from al_service.survey.catalogs.column_map import read_declaration
from al_service.survey.catalogs.columns import CHUNK_ROWS
from al_service.survey.magnitudes import SOFTENING
from al_service.survey.photometry_columns import (
    EXTINCTION,
    MODEL_FLUX,
    MODEL_FLUX_ERROR,
    PETRO_FLUX,
)
from al_service.survey.sdss10k import read_sdss10k, sdss10k_file
from tests.survey.catalogs.tables import (
    FIRST_ID,
    WRITERS,
    N,
    changed,
    galaxies,
    write_csv,
    write_fits,
    write_parquet,
    write_votable,
)


def read(
    path: Path, declared: str | None = None, hdu: str | None = None
) -> CatalogPart:
    """The whole of a catalog that fits into one part."""
    with open_catalog(path, read_declaration(declared), hdu=hdu) as catalog:
        (part,) = catalog.parts()
    return part


@pytest.mark.parametrize("kind", WRITERS)
def test_every_format_gives_the_same_objects(tmp_path: Path, kind: str) -> None:
    WRITERS[kind](galaxies(), tmp_path / "catalog")
    part = read(tmp_path / "catalog")

    assert part.problems == []
    assert part.object_ids == [str(FIRST_ID + 7 * k) for k in range(N)]
    np.testing.assert_allclose(part.ra, galaxies()["ra"])
    np.testing.assert_allclose(part.dec, galaxies()["dec"])
    np.testing.assert_allclose(part.known_values[:, 0], galaxies()["z"])
    np.testing.assert_allclose(part.known_errors[:, 0], 1e-5)
    # A luptitude of 19 is far above the softening: 10^(0.4 (22.5 - 19)).
    assert part.photometry[0, MODEL_FLUX][0] == pytest.approx(25.1189, rel=1e-3)
    np.testing.assert_allclose(part.photometry[:, EXTINCTION], 0.1, rtol=1e-6)
    assert (part.photometry[:, PETRO_FLUX] < part.photometry[:, MODEL_FLUX]).all()


def test_the_file_of_sdss10k_gives_the_pool_sdss10k() -> None:
    columns, photometry = read_sdss10k()
    part = read(sdss10k_file())
    np.testing.assert_array_equal(part.photometry, photometry)
    assert part.object_ids == columns.object_ids.tolist()
    np.testing.assert_array_equal(part.known_values, columns.known_values)


def test_a_luptitude_and_its_error_become_the_flux_they_came_from(
    tmp_path: Path,
) -> None:
    flux = np.array([-0.3, 0.0, 0.2, 50.0])[:, None] * np.ones(5)
    pogson = 2.5 / np.log(10)
    magnitude = 22.5 - pogson * (np.arcsinh(flux / (2 * SOFTENING)) + np.log(SOFTENING))
    error = 0.01 * pogson / np.hypot(flux, 2 * SOFTENING)
    table = galaxies(4)
    for place, band in enumerate("ugriz"):
        table[f"modelMag_{band}"] = magnitude[:, place]
        table[f"modelMagErr_{band}"] = error[:, place]
    write_parquet(table, tmp_path / "catalog")
    part = read(tmp_path / "catalog")
    np.testing.assert_allclose(part.photometry[:, MODEL_FLUX], flux, atol=1e-6)
    np.testing.assert_allclose(part.photometry[:, MODEL_FLUX_ERROR], 0.01, rtol=1e-5)


@pytest.mark.parametrize("unit", ["mag", "nanomaggies"])
def test_declared_units_and_columns_are_taken_at_their_word(
    tmp_path: Path, unit: str
) -> None:
    table = Table({"name": ["a", "b"], "lon": [1.0, 2.0], "lat": [0.0, 0.0]})
    value = 17.5 if unit == "mag" else 100.0
    for band in "ugriz":
        table[f"m_{band}"] = [value, value]
    write_csv(table, tmp_path / "catalog")
    declared = f"object_id=name,ra=lon,dec=lat,model=m_{{band}},unit={unit}"
    part = read(tmp_path / "catalog", declared)
    np.testing.assert_allclose(part.photometry[:, MODEL_FLUX], 100.0, rtol=1e-6)
    assert np.isnan(part.photometry[:, MODEL_FLUX_ERROR]).all()


def test_a_declaration_may_stand_in_a_file(tmp_path: Path) -> None:
    write_csv(galaxies(), tmp_path / "catalog")
    declared = tmp_path / "columns.toml"
    declared.write_text('object_id = "objid"\ndereddened = true\n')
    part = read(tmp_path / "catalog", str(declared))
    dimmed = read(tmp_path / "catalog").photometry[:, MODEL_FLUX] * 10 ** (-0.04)
    np.testing.assert_allclose(part.photometry[:, MODEL_FLUX], dimmed, rtol=1e-5)


def test_positions_in_radians_become_degrees(tmp_path: Path) -> None:
    table = galaxies()
    for name in ("ra", "dec"):
        table[name] = np.radians(table[name])
        table[name].unit = "rad"
    table.write(tmp_path / "catalog", format="fits")
    np.testing.assert_allclose(read(tmp_path / "catalog").ra, galaxies()["ra"])


@pytest.mark.parametrize("code", [-9999.0, -99.9, -99.0, float("nan")])
@pytest.mark.parametrize("write", [write_csv, write_fits, write_votable])
def test_a_missing_code_is_missing_and_never_a_number(
    tmp_path: Path, code: float, write: object
) -> None:
    table = changed("modelMag_g", 3, code)
    table["z"][5] = code
    assert callable(write)
    write(table, tmp_path / "catalog")
    part = read(tmp_path / "catalog")
    assert part.problems == []
    assert np.isnan(part.photometry[3, MODEL_FLUX][1])
    assert np.isnan(part.photometry[3, MODEL_FLUX_ERROR][1])
    assert np.isnan(part.known_values[5, 0])
    assert np.isfinite(part.known_values[:, 0]).sum() == N - 1


def test_a_redshift_with_a_warning_is_not_a_known_label(tmp_path: Path) -> None:
    table = galaxies()
    table["zWarning"] = [0, 16, 4, 5, *[0] * (N - 4)]
    write_csv(table, tmp_path / "catalog")
    part = read(tmp_path / "catalog")
    assert np.isnan(part.known_values[:5, 0]).tolist() == [
        False,
        False,
        True,
        True,
        False,
    ]
    assert part.n_distrusted == 2


def test_z_is_a_magnitude_beside_the_other_four_bands(tmp_path: Path) -> None:
    table = galaxies()["objid", "ra", "dec", "z"]
    for band in "ugri":
        table[band] = np.full(N, 18.0)
    write_csv(table, tmp_path / "catalog")
    assert read(tmp_path / "catalog").known_values.shape == (N, 0)


def test_objects_without_names_get_names_of_their_positions(tmp_path: Path) -> None:
    table = galaxies()
    table.remove_column("objid")
    write_csv(table, tmp_path / "catalog")
    assert read(tmp_path / "catalog").object_ids[0].startswith("SDSS J000200.00-80")


def test_spec_obj_ids_are_multiples_of_1024_and_are_not_taken_for_rounded(
    tmp_path: Path,
) -> None:
    table = galaxies()
    table["specobjid"] = [299489677444933632 + 1024 * k for k in range(N)]
    table.remove_column("objid")
    write_csv(table, tmp_path / "catalog")
    assert read(tmp_path / "catalog").object_ids[1] == str(299489677444933632 + 1024)


def test_a_long_catalog_comes_in_parts(tmp_path: Path) -> None:
    n = CHUNK_ROWS + 10
    table = Table({"object_id": [f"a{k}" for k in range(n)]})
    table["ra"], table["dec"] = np.linspace(0, 359, n), np.zeros(n)
    write_fits_plain = tmp_path / "catalog.fits"
    table.write(write_fits_plain)
    with open_catalog(write_fits_plain, {}) as catalog:
        sizes = [len(part.object_ids) for part in catalog.parts()]
    assert sizes == [CHUNK_ROWS, 10]


def test_every_bad_row_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "catalog.csv"
    write_csv(galaxies(5), path)
    lines = path.read_text().splitlines()
    lines[2] = lines[2].replace("-40.0", "-140.0")
    lines[3] = "1,2,3"
    lines[5] = lines[5].replace("0.05", "often", 1)
    path.write_text("\n".join(lines) + "\n")
    part = read(path)
    assert len(part.object_ids) == 2
    places = {problem.where for problem in part.problems}
    assert places == {f"{path}: line {number}" for number in (3, 4, 6)}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("block", [1200, 2**20])
def test_empty_lines_are_no_rows_but_count_as_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str, block: int
) -> None:
    """Every line number behind an empty line was too small."""
    monkeypatch.setattr(text_table, "BLOCK_BYTES", block)
    path = tmp_path / "catalog.csv"
    write_csv(galaxies(40), path)
    lines = path.read_text().splitlines()
    for place in (30, 20, 20, 10, 1):
        lines.insert(place, "")
    bad = [place for place, line in enumerate(lines) if ",80.0," in line]
    lines[bad[0]] = lines[bad[0]].replace(",80.0,", ",180.0,")
    lines[35] = "1,2,3"
    lines[5] = "4,5"
    lines[27] = lines[28]
    path.write_bytes("".join(f"{line}{end}" for line in lines).encode())
    with open_catalog(path, {}) as catalog:
        problems = [one.where for part in catalog.parts() for one in part.problems]
    expected = {f"{path}: line {place + 1}" for place in (5, 28, 35, bad[0])}
    assert set(problems) == expected


def test_a_broken_declaration_says_what_may_be_declared() -> None:
    with pytest.raises(InvalidInput, match="mass: expected some of"):
        read_declaration("mass=logmass")


def test_another_hdu_is_read_when_it_is_named(tmp_path: Path) -> None:
    write_fits(galaxies(), tmp_path / "catalog")
    assert len(read(tmp_path / "catalog", hdu="1").object_ids) == N
    with pytest.raises(UnreadableFile, match="HDU '0': expected a table"):
        read(tmp_path / "catalog", hdu="0")
