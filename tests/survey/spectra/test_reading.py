"""Survey products onto the common grid."""

import bz2
import gzip
import lzma
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from al_service.survey.spectra import (
    LOGLAM_START,
    BadSpectrum,
    find_spectrum_files,
    read_folder,
    read_spectra,
    wavelengths,
)
from al_service.survey.spectra.spectrum import PixelFlag
from tests.real_spectra import DATA, catalog, needs_real_spectra, real_spectra
from tests.survey.spectra.files import (
    FIRST_LOGLAM,
    LINE_AT,
    N_PIXELS,
    coadd_columns,
    object_columns,
    plate_hdus,
    write_plate,
    write_spec,
)

PACKED = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}

FIRST = round((FIRST_LOGLAM - LOGLAM_START) * 1e4)


def test_a_spec_file_is_read_whole(tmp_path: Path) -> None:
    (spectrum,) = read_spectra(write_spec(tmp_path / "spec-0266-51630-0031.fits"))
    assert spectrum.name == "0266-51630-0031"
    assert (spectrum.ra, spectrum.dec) == (146.2, -0.4)
    assert (spectrum.spectral_class, spectrum.zwarning) == ("GALAXY", 4)
    assert spectrum.z == pytest.approx(0.1)
    assert spectrum.sn_median == 2.5
    assert spectrum.spec_obj_id == "299489676975171584"  # beyond 2^53
    assert spectrum.flux[FIRST + LINE_AT] == 50.0
    assert spectrum.good.sum() == N_PIXELS
    assert spectrum.sky.max() == 2.0


def test_capital_columns_of_sdss_v_are_the_same_columns(tmp_path: Path) -> None:
    columns = {name.upper(): values for name, values in coadd_columns().items()}
    row = {
        "FIELD": np.array([15000]),
        "CATALOGID": np.array([27021597764222976]),
        "FIBER_RA": np.array([12.5]),
        "FIBER_DEC": np.array([3.5]),
        "MJD": np.array([59146], dtype=np.int32),
    }
    path = write_spec(
        tmp_path / "spec-015000-59146-27021597764222976.fits",
        coadd=columns,
        row=row,
        drop=(*coadd_columns(), "PLATE", "FIBERID", "PLUG_RA", "PLUG_DEC"),
    )
    (spectrum,) = read_spectra(path)
    assert spectrum.name == "15000-59146-27021597764222976"
    assert (spectrum.ra, spectrum.dec, spectrum.instrument) == (12.5, 3.5, "BOSS")


def test_early_reductions_have_one_signal_to_noise(tmp_path: Path) -> None:
    row = {"SN_MEDIAN": np.array([7.5], dtype=np.float32)}
    path = write_spec(tmp_path / "spec-1.fits", row=row, drop=("SN_MEDIAN_ALL",))
    (spectrum,) = read_spectra(path)
    assert spectrum.sn_median == 7.5


def test_where_none_is_given_signal_to_noise_is_measured(tmp_path: Path) -> None:
    path = write_spec(tmp_path / "spec-1.fits", drop=("SN_MEDIAN", "SN_MEDIAN_ALL"))
    (spectrum,) = read_spectra(path)
    assert spectrum.sn_median == 2.0  # flux 1, inverse variance 4


def test_a_failed_fit_has_no_error_rather_than_minus_one(tmp_path: Path) -> None:
    row = {"Z_ERR": np.array([-1.0], dtype=np.float32)}
    (spectrum,) = read_spectra(write_spec(tmp_path / "spec-1.fits", row=row))
    assert np.isnan(spectrum.z_err)


def test_bright_sky_is_not_trusted_and_a_bad_flat_is(tmp_path: Path) -> None:
    mask = np.zeros(N_PIXELS, dtype=np.int32)
    mask[5], mask[6:] = PixelFlag.BRIGHTSKY, 1 << 2
    (spectrum,) = read_spectra(
        write_spec(tmp_path / "spec-1.fits", coadd={"and_mask": mask})
    )
    assert spectrum.good.sum() == N_PIXELS - 1
    assert spectrum.ivar[FIRST + 5] == 4.0
    assert spectrum.trusted_ivar[FIRST + 5] == 0.0


def test_a_flux_that_was_not_measured_may_be_anything(tmp_path: Path) -> None:
    columns = coadd_columns()
    columns["flux"][3], columns["ivar"][3] = np.nan, 0.0
    (spectrum,) = read_spectra(write_spec(tmp_path / "spec-1.fits", coadd=columns))
    assert spectrum.flux[FIRST + 3] == 0.0


def test_a_plate_yields_its_plugged_fibers_in_order(tmp_path: Path) -> None:
    path = write_plate(tmp_path / "spPlate-4055-55359.fits", plate_hdus())
    spectra = list(read_spectra(path))
    assert [s.name for s in spectra] == ["4055-55359-0001", "4055-55359-0002"]
    assert [s.ra for s in spectra] == [10.0, 10.5]
    assert [s.flux[FIRST + LINE_AT] for s in spectra] == [10.0, 20.0]
    assert spectra[0].instrument == "BOSS"
    assert np.isnan(spectra[0].z)


def test_a_plate_and_a_file_of_one_fiber_agree(tmp_path: Path) -> None:
    path = write_plate(tmp_path / "spPlate-4055-55359.fits", plate_hdus())
    from_plate = next(read_spectra(path))
    with fits.open(path) as hdus:
        flux = hdus[0].data[0]
    (from_spec,) = read_spectra(
        write_spec(tmp_path / "spec-1.fits", coadd={"flux": flux})
    )
    np.testing.assert_array_equal(from_plate.flux, from_spec.flux)
    np.testing.assert_array_equal(from_plate.good, from_spec.good)


@pytest.mark.parametrize(("end", "pack"), PACKED.items())
def test_a_compressed_file_is_read_like_a_plain_one(
    tmp_path: Path, end: str, pack: Callable[[bytes], bytes]
) -> None:
    plain = write_spec(tmp_path / "spec-0266-51630-0031.fits")
    packed = tmp_path / "packed" / f"{plain.name}.{end}"
    packed.parent.mkdir()
    packed.write_bytes(pack(plain.read_bytes()))
    (expected,) = read_spectra(plain)
    (spectrum,) = read_folder(packed.parent)
    assert (spectrum.path, spectrum.name) == (packed, expected.name)
    np.testing.assert_array_equal(spectrum.flux, expected.flux)


def test_a_compressed_plate_is_read_like_a_plain_one(tmp_path: Path) -> None:
    plain = write_plate(tmp_path / "spPlate-4055-55359.fits", plate_hdus())
    packed = tmp_path / "spPlate-4055-55359.fits.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert [s.name for s in read_spectra(packed)] == [
        s.name for s in read_spectra(plain)
    ]


def test_files_are_found_at_any_depth_and_in_order(tmp_path: Path) -> None:
    for name in ("b/spec-2.fits", "a/spec-3.fits", "a/deep/spPlate-1.fits"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "a" / "photoObj-1.fits").touch()
    (tmp_path / "a" / "spec-4.fits.part").touch()
    (tmp_path / "a" / "spec-folder.fits").mkdir()
    found = [str(path.relative_to(tmp_path)) for path in find_spectrum_files(tmp_path)]
    assert found == ["a/deep/spPlate-1.fits", "a/spec-3.fits", "b/spec-2.fits"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadSpectrum, match="nowhere: no such folder"):
        find_spectrum_files(tmp_path / "nowhere")


def test_a_folder_is_read_one_spectrum_at_a_time(tmp_path: Path) -> None:
    original = write_spec(tmp_path / "spec-0.fits")
    for number in range(1, 60):
        (tmp_path / f"spec-{number}.fits").hardlink_to(original)
    size = original.stat().st_size
    spectra = read_folder(tmp_path)
    next(spectra)
    tracemalloc.start()
    n_read = sum(1 for _ in spectra)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert n_read == 59
    assert peak < 8 * size


def test_names_of_files_prove_nothing(tmp_path: Path) -> None:
    (spectrum,) = read_spectra(write_spec(tmp_path / "spec-9999-99999-9999.fits"))
    assert spectrum.plate == object_columns()["PLATE"][0]


@needs_real_spectra
def test_every_real_file_agrees_with_the_catalog() -> None:
    for spectrum, row in zip(real_spectra(), catalog(), strict=True):
        assert f"spec-{spectrum.name}.fits" == row.file
        assert spectrum.spectral_class == row.spectral_class
        assert spectrum.subclass == row.subclass
        assert spectrum.z == pytest.approx(row.z, abs=1e-7)
        assert spectrum.zwarning == row.zwarning
        assert spectrum.sn_median == pytest.approx(row.sn_median, abs=0.05)
        assert spectrum.instrument == ("BOSS" if spectrum.plate > 3500 else "SDSS")
        assert spectrum.good.sum() > 3500


@needs_real_spectra
def test_our_quick_reader_reads_what_astropy_reads() -> None:
    for spectrum in real_spectra()[::6]:
        with fits.open(spectrum.path, memmap=False) as hdus:
            table, row = hdus[1].data, hdus[2].data[0]
            first = round((float(table["loglam"][0]) - LOGLAM_START) * 1e4)
            pixels = slice(first, min(first + len(table), len(spectrum.flux)))
            inside = slice(0, pixels.stop - first)  # BOSS sticks out on the red side
            ivar, flux = table["ivar"][inside], table["flux"][inside]
            np.testing.assert_array_equal(spectrum.ivar[pixels], ivar)
            seen = ivar > 0
            np.testing.assert_array_equal(spectrum.flux[pixels][seen], flux[seen])
            assert spectrum.spec_obj_id == str(row["SPECOBJID"]).strip()
            assert spectrum.ra == row["PLUG_RA"]


@needs_real_spectra
@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("spec-1678-53433-0425.fits", 5008.24),  # SDSS-I
        ("spec-0266-51630-0168.fits", 6564.61),
        ("spec-2095-53474-0355.fits", 5008.24),
        ("spec-7338-57050-0737.fits", 5008.24),  # BOSS
        ("spec-7338-56660-0733.fits", 4960.30),
    ],
)
def test_a_strong_line_falls_within_a_pixel_of_where_it_must(
    file: str, line: float
) -> None:
    (spectrum,) = (s for s in real_spectra() if s.path.name == file)
    expected = float(np.interp(line * (1 + spectrum.z), wavelengths(), np.arange(4620)))
    near = slice(round(expected) - 8, round(expected) + 9)
    above = spectrum.flux[near] - np.median(spectrum.flux[near])
    above = np.where(above > 0.5 * above.max(), above, 0.0)
    center = float((above * np.arange(near.start, near.stop)).sum() / above.sum())
    assert abs(center - expected) < 1.0


@needs_real_spectra
def test_three_epochs_of_one_quasar_point_at_one_place() -> None:
    names = ("1325-52762-0133", "7338-56660-0733", "7338-57050-0737")
    epochs = [s for s in real_spectra() if s.name in names]
    assert len(epochs) == 3
    assert np.ptp([s.ra for s in epochs]) * 3600 < 1.0
    assert np.ptp([s.dec for s in epochs]) * 3600 < 1.0
    assert len({s.photo_obj_id for s in epochs}) == 1


@needs_real_spectra
def test_the_folder_of_real_files_holds_them_all() -> None:
    assert len(find_spectrum_files(DATA / "spectra")) == len(catalog()) == 34
