"""Every way in which a spectrum can be no spectrum has words of its own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from al_service.survey.spectra import BadSpectrum, read_spectra
from tests.survey.spectra.files import (
    N_PIXELS,
    coadd_columns,
    object_columns,
    plate_hdus,
    write_plate,
    write_spec,
)

NAN = np.float32(np.nan)


def refusal(path: Path) -> str:
    """What is said of a file of which nothing may be read."""
    with pytest.raises(BadSpectrum) as refused:
        list(read_spectra(path))
    assert str(path) in str(refused.value)
    return str(refused.value)


def spoiled(column: str, value: Any, pixel: int = 7) -> dict[str, Any]:
    values = coadd_columns()[column]
    values[pixel] = value
    return {column: values}


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "spec-1.fits")


def test_a_folder_in_place_of_a_file(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(tmp_path)


def test_a_web_page_in_place_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "spec-1.fits"
    path.write_text("<html>404 Not Found</html>" * 200)
    assert "not a FITS file" in refusal(path)


def test_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "spec-1.fits"
    path.touch()
    assert "found an empty file" in refusal(path)


def test_a_header_that_ends_early(tmp_path: Path) -> None:
    path = write_spec(tmp_path / "spec-1.fits")
    path.write_bytes(path.read_bytes()[:4000])
    assert "HDU 1: truncated: the file ends in a header" in refusal(path)


def test_data_that_end_early(tmp_path: Path) -> None:
    path = write_spec(tmp_path / "spec-1.fits")
    path.write_bytes(path.read_bytes()[:30_000])
    assert "HDU 1: truncated" in refusal(path)


def test_no_row_of_the_object(tmp_path: Path) -> None:
    path = tmp_path / "spec-1.fits"
    write_spec(path)
    with fits.open(path) as hdus:
        hdus[:2].writeto(tmp_path / "spec-2.fits")
    assert "HDU 2: missing" in refusal(tmp_path / "spec-2.fits")


def test_an_image_where_the_spectrum_should_be(tmp_path: Path) -> None:
    path = tmp_path / "spec-1.fits"
    images = [fits.ImageHDU(np.zeros((4, 4))) for _ in range(2)]
    fits.HDUList([fits.PrimaryHDU(), *images]).writeto(path)
    assert "HDU 1: expected a binary table, found 'IMAGE'" in refusal(path)


@pytest.mark.parametrize("column", ["flux", "loglam", "ivar", "and_mask", "sky"])
def test_a_missing_column_of_the_spectrum(tmp_path: Path, column: str) -> None:
    said = refusal(write_spec(tmp_path / "spec-1.fits", drop=(column,)))
    assert (
        f"HDU 1: expected columns FLUX, LOGLAM, IVAR, AND_MASK, SKY; {column.upper()}"
        in said
    )


@pytest.mark.parametrize(
    "column", ["CLASS", "Z", "ZWARNING", "MJD", "PLATE", "PLUG_RA"]
)
def test_a_missing_column_of_the_object(tmp_path: Path, column: str) -> None:
    said = refusal(write_spec(tmp_path / "spec-1.fits", drop=(column,)))
    assert "HDU 2: expected" in said
    assert column in said


def test_text_in_place_of_fluxes(tmp_path: Path) -> None:
    text = np.full(N_PIXELS, "bright")
    said = refusal(write_spec(tmp_path / "spec-1.fits", coadd={"flux": text}))
    assert "HDU 1: FLUX: expected a number per row" in said


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("MJD", "today", "MJD: expected a number"),
        ("ZWARNING", 0.5, "ZWARNING: expected an integer, found 0.5"),
        ("Z", "none", "Z: expected a number"),
    ],
)
def test_an_object_whose_numbers_are_none(
    tmp_path: Path, column: str, value: object, words: str
) -> None:
    said = refusal(
        write_spec(tmp_path / "spec-1.fits", row={column: np.array([value])})
    )
    assert "HDU 2: " in said
    assert words in said


def test_an_object_twice(tmp_path: Path) -> None:
    twice = {name: np.repeat(v, 2, axis=0) for name, v in object_columns().items()}
    said = refusal(write_spec(tmp_path / "spec-1.fits", row=twice))
    assert "HDU 2: expected one row, found 2" in said


def test_wavelengths_that_step_otherwise(tmp_path: Path) -> None:
    loglam = np.log10(np.linspace(3800.0, 9200.0, N_PIXELS)).astype(np.float32)
    said = refusal(write_spec(tmp_path / "spec-1.fits", coadd={"loglam": loglam}))
    assert "HDU 1: another grid: expected loglam in steps of 0.0001" in said


def test_infrared_wavelengths(tmp_path: Path) -> None:
    loglam = (4.18 + 1e-4 * np.arange(N_PIXELS)).astype(np.float32)
    said = refusal(write_spec(tmp_path / "spec-1.fits", coadd={"loglam": loglam}))
    assert "another grid: expected pixels between loglam 3.553" in said


def test_a_wavelength_that_is_no_number(tmp_path: Path) -> None:
    said = refusal(write_spec(tmp_path / "spec-1.fits", coadd=spoiled("loglam", NAN)))
    assert "another grid: loglam is not finite" in said


def test_a_flux_that_is_no_number(tmp_path: Path) -> None:
    said = refusal(write_spec(tmp_path / "spec-1.fits", coadd=spoiled("flux", NAN)))
    assert "HDU 1: flux: not a number at 1 pixel(s)" in said


@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf])
def test_an_inverse_variance_that_is_none(tmp_path: Path, value: float) -> None:
    said = refusal(write_spec(tmp_path / "spec-1.fits", coadd=spoiled("ivar", value)))
    assert "HDU 1: ivar: expected finite numbers >= 0, 1 pixel(s) are not" in said


@pytest.mark.parametrize(
    "columns",
    [
        {"ivar": np.zeros(N_PIXELS, dtype=np.float32)},
        {"and_mask": np.full(N_PIXELS, 1 << 23, dtype=np.int32)},
    ],
)
def test_no_good_pixel(tmp_path: Path, columns: dict[str, Any]) -> None:
    said = refusal(write_spec(tmp_path / "spec-1.fits", coadd=columns))
    assert "HDU 1: no good pixel" in said


def test_a_spectrum_without_pixels(tmp_path: Path) -> None:
    nothing = {name: values[:0] for name, values in coadd_columns().items()}
    said = refusal(write_spec(tmp_path / "spec-1.fits", coadd=nothing))
    assert "HDU 1: the table has no rows" in said


@pytest.mark.parametrize(
    ("column", "value"), [("PLUG_RA", 361.0), ("PLUG_DEC", -90.5), ("PLUG_RA", np.nan)]
)
def test_a_position_off_the_sky(tmp_path: Path, column: str, value: float) -> None:
    said = refusal(
        write_spec(tmp_path / "spec-1.fits", row={column: np.array([value])})
    )
    assert "HDU 2: expected a position" in said


def _rewritten(path: Path, old: bytes, new: bytes) -> Path:
    raw = path.read_bytes()
    assert raw.count(old) >= 1
    path.write_bytes(raw.replace(old, new, 1))
    return path


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            b"TFORM1  = 'E       '",
            b"TFORM1  = '1Z      '",
            "TFORM1 is missing or unknown",
        ),
        (b"TFORM1  = 'E       '", b"TFORM1  = 'D       '", "rows of NAXIS1 = 24 bytes"),
        (b"TTYPE2  = 'loglam  '", b"TTYPE2  = 'flux    '", "field 'FLUX' occurs more"),
        (b"TFIELDS =  ", b"NOFIELDS=  ", "the header has no TFIELDS"),
        (
            b"NAXIS2  =                 3800",
            b"NAXIS2  =                 many",
            "NAXIS2",
        ),
        (
            b"NAXIS2  =                 3800",
            b"NAXIS2  =                 -380",
            "NAXIS2: expected",
        ),
    ],
)
def test_a_header_that_makes_no_sense(
    tmp_path: Path, old: bytes, new: bytes, words: str
) -> None:
    said = refusal(_rewritten(write_spec(tmp_path / "spec-1.fits"), old, new))
    assert "HDU 1: " in said
    assert words in said


Spoil = Callable[[list[Any]], Any]


def _drop_a_key(hdus: list[Any]) -> None:
    del hdus[0].header["COEFF0"]


def _other_step(hdus: list[Any]) -> None:
    hdus[0].header["COEFF1"] = 2e-4


def _spectrum_instead_of_plate(hdus: list[Any]) -> None:
    hdus[0] = fits.PrimaryHDU(np.zeros(N_PIXELS, dtype=np.float32))


def _other_shape(hdus: list[Any]) -> None:
    hdus[1] = fits.ImageHDU(np.zeros((2, N_PIXELS), dtype=np.float32))


def _fewer_hdus(hdus: list[Any]) -> None:
    del hdus[6]


def _no_plug_map(hdus: list[Any]) -> None:
    hdus[5] = fits.ImageHDU(np.zeros((3, N_PIXELS), dtype=np.float32))


def _fewer_plugs(hdus: list[Any]) -> None:
    hdus[5] = plate_hdus(n_fibers=4)[5]


def _no_number(hdus: list[Any]) -> None:
    hdus[0].data[0, 5] = np.nan


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_drop_a_key, "HDU 0: the header has no COEFF0"),
        (_other_step, "HDU 0: another grid"),
        (_spectrum_instead_of_plate, "HDU 0: expected fluxes of N fibers x M pixels"),
        (_other_shape, "HDU 1: ivar: expected an array (3, 3800), found (2, 3800)"),
        (_fewer_hdus, "HDU 6: missing"),
        (_no_plug_map, "HDU 5: expected the plug map with columns FIBERID, RA, DEC"),
        (_fewer_plugs, "HDU 5: expected 3 fibers, found 4"),
        (_no_number, "flux: not a number at 1 pixel(s)"),
    ],
)
def test_a_plate_that_is_none(tmp_path: Path, spoil: Spoil, words: str) -> None:
    hdus = plate_hdus()
    spoil(hdus)
    assert words in refusal(write_plate(tmp_path / "spPlate-4055-55359.fits", hdus))


def test_a_plate_that_ends_early_yields_no_spectrum(tmp_path: Path) -> None:
    path = write_plate(tmp_path / "spPlate-4055-55359.fits", plate_hdus())
    path.write_bytes(path.read_bytes()[:-20_000])
    assert "truncated" in refusal(path)
