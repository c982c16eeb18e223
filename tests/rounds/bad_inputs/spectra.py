"""Spectra that are none."""

import gzip
from pathlib import Path

import numpy as np
from astropy.io import fits

from al_service.survey.importing.request import ImportRequest
from tests.rounds.bad_inputs.cases import bad
from tests.survey.spectra.files import (
    N_PIXELS,
    coadd_columns,
    plate_hdus,
    write_plate,
    write_spec,
)

NAME = "spec-0266-51630-0031.fits"


@bad("expected spec-")
def a_folder_without_spectra(folder: Path) -> ImportRequest:
    (folder / "spectra").mkdir()
    return ImportRequest(spectra=folder / "spectra")


@bad("0031.fits: not a FITS file")
def a_spectrum_that_is_a_text(folder: Path) -> ImportRequest:
    (folder / NAME).write_text("not found" * 400)
    return ImportRequest(spectra=folder)


@bad("0031.fits.*found an empty file")
def a_spectrum_without_a_byte(folder: Path) -> ImportRequest:
    (folder / NAME).touch()
    return ImportRequest(spectra=folder)


@bad("HDU 1: truncated: [0-9]+ bytes of data announced")
def a_spectrum_that_was_cut_off(folder: Path) -> ImportRequest:
    path = write_spec(folder / NAME)
    path.write_bytes(path.read_bytes()[:30_000])
    return ImportRequest(spectra=folder)


@bad("0031.fits.gz: expected a whole compressed file")
def a_compressed_spectrum_that_was_cut_off(folder: Path) -> ImportRequest:
    path = write_spec(folder / NAME)
    packed = gzip.compress(path.read_bytes())
    path.with_name(f"{NAME}.gz").write_bytes(packed[: len(packed) // 2])
    path.unlink()
    return ImportRequest(spectra=folder)


@bad("0031.fits.gz: decompresses to more than")
def a_spectrum_that_is_a_bomb(folder: Path) -> ImportRequest:
    (folder / f"{NAME}.gz").write_bytes(gzip.compress(b"SIMPLE  =" + bytes(80_000_000)))
    return ImportRequest(spectra=folder)


@bad("HDU 1: another grid: expected loglam in steps of 0.0001")
def a_spectrum_on_another_grid(folder: Path) -> ImportRequest:
    loglam = np.log10(np.linspace(3800.0, 9200.0, N_PIXELS)).astype(np.float32)
    write_spec(folder / NAME, coadd={"loglam": loglam})
    return ImportRequest(spectra=folder)


@bad("HDU 2: missing: expected HDU 1 with the coadded spectrum and HDU 2")
def a_spectrum_without_its_object(folder: Path) -> ImportRequest:
    with fits.open(write_spec(folder / "whole.fits")) as hdus:
        hdus[:2].writeto(folder / NAME)
    return ImportRequest(spectra=folder / NAME)


@bad("HDU 1: expected a binary table, found 'IMAGE'")
def an_image_in_place_of_a_spectrum(folder: Path) -> ImportRequest:
    images = [fits.ImageHDU(np.zeros((4, 4))) for _ in range(2)]
    fits.HDUList([fits.PrimaryHDU(), *images]).writeto(folder / NAME)
    return ImportRequest(spectra=folder)


@bad("HDU 1: flux: not a number at 1 pixel")
def a_flux_that_is_no_number(folder: Path) -> ImportRequest:
    flux = coadd_columns()["flux"]
    flux[7] = np.nan
    write_spec(folder / NAME, coadd={"flux": flux})
    return ImportRequest(spectra=folder)


@bad("HDU 1: no good pixel")
def a_spectrum_without_a_good_pixel(folder: Path) -> ImportRequest:
    write_spec(folder / NAME, coadd={"ivar": np.zeros(N_PIXELS, dtype=np.float32)})
    return ImportRequest(spectra=folder)


@bad("HDU 2: expected a position")
def a_spectrum_off_the_sky(folder: Path) -> ImportRequest:
    write_spec(folder / NAME, row={"PLUG_RA": np.array([361.0])})
    return ImportRequest(spectra=folder)


@bad("0266-51630-0031: is there twice: also in")
def a_spectrum_that_is_there_twice(folder: Path) -> ImportRequest:
    write_spec(folder / NAME)
    (folder / "spec-copy.fits").write_bytes((folder / NAME).read_bytes())
    return ImportRequest(spectra=folder)


@bad("HDU 5: expected 3 fibers, found 4")
def a_plate_with_another_plug_map(folder: Path) -> ImportRequest:
    hdus = plate_hdus()
    hdus[5] = plate_hdus(n_fibers=4)[5]
    write_plate(folder / "spPlate-4055-55359.fits", hdus)
    return ImportRequest(spectra=folder)
