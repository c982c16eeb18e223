"""Every kind of bad input that an import has to refuse, with what it must say."""

import gzip
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from astropy.io import fits
from astropy.table import Table

from al_service.survey.catalogs.column_map import read_declaration
from al_service.survey.importing.request import ImportRequest, MatchBy
from tests.survey.catalogs.tables import (
    FIRST_ID,
    N,
    changed,
    galaxies,
    write_csv,
    write_fits,
    write_parquet,
    write_votable,
)
from tests.survey.images.stamps import stamps, write_field

Build = Callable[[Path], ImportRequest]


@dataclass(frozen=True)
class BadInput:
    """A kind of bad input."""

    name: str
    build: Build
    """Writes the files into a folder and asks for their import."""
    message: str
    """Regular expression of what the refusal has to say."""


CASES: Final[list[BadInput]] = []


def bad(message: str) -> Callable[[Build], Build]:
    """Enter a case under its function's name."""

    def enter(build: Build) -> Build:
        CASES.append(BadInput(build.__name__, build, message))
        return build

    return enter


def table(folder: Path, content: Table, declared: str | None = None) -> ImportRequest:
    write_csv(content, folder / "catalog.csv")
    return ImportRequest(folder / "catalog.csv", read_declaration(declared))


def text(folder: Path, content: str | bytes) -> ImportRequest:
    path = folder / "catalog.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return ImportRequest(path)


def lines(folder: Path, change: Callable[[list[str]], None]) -> ImportRequest:
    """The good catalog in CSV after somebody edited its lines."""
    write_csv(galaxies(), folder / "catalog.csv")
    rows = (folder / "catalog.csv").read_text().splitlines()
    change(rows)
    return text(folder, "\n".join(rows) + "\n")


def cell(column: str, value: Any) -> Build:  # Any: a cell
    return lambda folder: table(folder, changed(column, 3, value))


def images(folder: Path, **columns: Any) -> ImportRequest:  # Any: arrays
    np.savez(folder / "images.npz", **columns)
    return ImportRequest(images=folder / "images.npz")


# --- files that are no tables -----------------------------------------------------


@bad("no file or folder named")
def a_file_that_is_not_there(folder: Path) -> ImportRequest:
    return ImportRequest(folder / "nothing.csv")


@bad("expected a catalog, spectra or images to import, found none")
def nothing_at_all(folder: Path) -> ImportRequest:
    del folder
    return ImportRequest()


@bad("found an empty file")
def an_empty_file(folder: Path) -> ImportRequest:
    return text(folder, "")


@bad("nothing to import")
def a_header_without_rows(folder: Path) -> ImportRequest:
    return text(folder, "object_id,ra,dec\n")


@bad(r"line 1: expected a table in UTF-8|expected CSV in UTF-8")
def a_csv_in_latin_1(folder: Path) -> ImportRequest:
    return text(folder, "object_id,ra,dec\nNGC\xe9,1,2\n".encode("latin-1"))


@bad("found binary data|UTF-8")
def binary_data(folder: Path) -> ImportRequest:
    return text(folder, b"a\0b,\0\n1,2\n")


@bad("line 1: expected every column once, found 'dec' as columns 3 and 4")
def a_column_that_is_there_twice(folder: Path) -> ImportRequest:
    return text(folder, "object_id,ra,dec,dec\na,1,2,3\n")


@bad("line 3: expected 30 cells, found 2")
def a_row_with_too_few_cells(folder: Path) -> ImportRequest:
    return lines(folder, lambda rows: rows.__setitem__(2, "1,2"))


@bad("expected CSV in UTF-8")
def a_row_without_an_end(folder: Path) -> ImportRequest:
    return text(folder, "object_id,ra,dec\na,1," + "x" * 20_000_000 + "\n")


@bad("expected a whole compressed file")
def a_gzip_that_was_cut_off(folder: Path) -> ImportRequest:
    return text(folder, gzip.compress(b"object_id,ra,dec\n" + b"a,1,2\n" * 9999)[:-20])


@bad("decompresses to more than")
def a_gzip_bomb(folder: Path) -> ImportRequest:
    return text(folder, gzip.compress(b"0" * 80_000_000))


@bad("expected Parquet")
def a_parquet_that_was_cut_off(folder: Path) -> ImportRequest:
    write_parquet(galaxies(), folder / "catalog")
    return text(folder, (folder / "catalog").read_bytes()[:-30])


# --- FITS and VOTable ---------------------------------------------------------------


@bad("truncated: expected [0-9,]+ bytes|expected a FITS table")
def a_fits_table_that_was_cut_off(folder: Path) -> ImportRequest:
    write_fits(galaxies(4000), folder / "catalog")
    return text(folder, (folder / "catalog").read_bytes()[:50_000])


@bad("expected a table, found only PrimaryHDU")
def a_fits_file_without_a_table(folder: Path) -> ImportRequest:
    fits.PrimaryHDU(np.zeros((4, 4))).writeto(folder / "catalog.fits")
    return ImportRequest(folder / "catalog.fits")


@bad("HDU '7': expected a table")
def the_wrong_hdu(folder: Path) -> ImportRequest:
    write_fits(galaxies(), folder / "catalog.fits")
    return ImportRequest(folder / "catalog.fits", hdu="7")


@bad("model: mixed units: mag, nmgy")
def bands_in_different_units(folder: Path) -> ImportRequest:
    write_votable(galaxies(), folder / "catalog.vot")
    good = (folder / "catalog.vot").read_text()
    mixed = re.sub(r'(name="modelMag_g"[^>]*)unit="mag"', r'\1unit="nmgy"', good)
    return text(folder, mixed)


@bad("expected nanomaggies, the file states mag")
def a_unit_that_contradicts_the_declaration(folder: Path) -> ImportRequest:
    write_fits(galaxies(), folder / "catalog.fits")
    declared = "model=modelMag_{band},unit=nanomaggies"
    return ImportRequest(folder / "catalog.fits", read_declaration(declared))


@bad("positions: expected an angle, found 'm'")
def positions_in_meters(folder: Path) -> ImportRequest:
    wrong = galaxies()
    wrong["ra"].unit = "m"
    wrong.write(folder / "catalog.fits")
    return ImportRequest(folder / "catalog.fits")


@bad("expected 5 bands ugriz, found 4")
def four_bands(folder: Path) -> ImportRequest:
    wrong = galaxies()["objid", "ra", "dec"]
    wrong["MODELFLUX"] = np.ones((N, 4))
    wrong.write(folder / "catalog.fits")
    return ImportRequest(folder / "catalog.fits")


@bad("expected a VOTable in XML")
def a_votable_that_was_cut_off(folder: Path) -> ImportRequest:
    write_votable(galaxies(), folder / "catalog")
    return text(folder, (folder / "catalog").read_bytes()[:9000])


@bad("expected VOTABLE, found a document type")
def a_votable_that_expands_entities(folder: Path) -> ImportRequest:
    entities = '<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">'
    return text(
        folder, f'<?xml version="1.0"?><!DOCTYPE x [{entities}]><VOTABLE>&c;</VOTABLE>'
    )


@bad("expected VOTABLE, found html")
def a_web_page(folder: Path) -> ImportRequest:
    return text(folder, "<html><body>Sorry, the query timed out</body></html>")


@bad("a cell is longer than")
def a_votable_with_an_endless_cell(folder: Path) -> ImportRequest:
    write_votable(galaxies(), folder / "catalog")
    good = (folder / "catalog").read_text()
    return text(folder, good.replace("</TD>", "9" * 3_000_000 + "</TD>", 1))


# --- identifiers --------------------------------------------------------------------


@bad("object_id 1237650000000000001: is there twice")
def an_identifier_that_is_there_twice(folder: Path) -> ImportRequest:
    return table(folder, changed("objid", 3, str(FIRST_ID)))


@bad("rounded by a float64.*varchar")
def identifiers_that_a_float_has_rounded(folder: Path) -> ImportRequest:
    rounded = galaxies()
    rounded["objid"] = [int(float(name)) for name in rounded["objid"]]
    rounded["objid"] += np.arange(N) * 256
    return table(folder, rounded)


@bad("found floating-point numbers beyond 2.53")
def identifiers_that_are_floats(folder: Path) -> ImportRequest:
    rounded = galaxies()
    rounded["objid"] = [float(name) for name in rounded["objid"]]
    rounded.write(folder / "catalog.fits")
    return ImportRequest(folder / "catalog.fits")


@bad("line 5: objid: 1.23765E.18")
def an_identifier_in_scientific_notation(folder: Path) -> ImportRequest:
    return table(folder, changed("objid", 3, "1.23765E+18"))


@bad("line 5: objid: expected an identifier, found nothing")
def an_object_without_an_identifier(folder: Path) -> ImportRequest:
    return table(folder, changed("objid", 3, ""))


@bad("expected printable characters")
def an_identifier_with_a_control_character(folder: Path) -> ImportRequest:
    return table(folder, changed("objid", 3, "a\x07b"))


@bad("expected at most 200 characters, found 300")
def an_endless_identifier(folder: Path) -> ImportRequest:
    return table(folder, changed("objid", 3, "x" * 300))


# --- positions ----------------------------------------------------------------------


@bad("no columns ra and dec")
def no_positions(folder: Path) -> ImportRequest:
    wrong = galaxies()
    wrong.remove_column("dec")
    return table(folder, wrong)


bad(r"line 5: ra: expected degrees in \[0, 360\], found -10")(cell("ra", -10.0))
bad(r"line 5: dec: expected degrees in \[-90, 90\], found 91")(cell("dec", 91.0))
bad("line 5: ra: expected degrees, found nothing")(cell("ra", -9999.0))
bad("line 5: dec: expected a number, found '12:30:00'")(cell("dec", "12:30:00"))
bad("line 5: ra: expected a finite number, found infinity")(cell("ra", np.inf))


# --- photometry and labels ----------------------------------------------------------

bad("line 5: modelMag_r: expected a number, found 'faint'")(cell("modelMag_r", "faint"))
bad(r"model: expected magnitudes in \[-5, 45\], found 99.0 in r")(
    cell("modelMag_r", 99.0)
)
bad("model_err: expected errors above 0, found -0.1 in r")(cell("modelMagErr_r", -0.1))
bad(r"extinction: expected magnitudes in \[0, 60\]")(cell("extinction_u", -1.0))
bad(r"z: expected z in \[-0.01, 8\], found 9.0")(cell("z", 9.0))


@bad("expected nanomaggies below 1e.10, found 1000000000000.0 in u")
def counts_instead_of_fluxes(folder: Path) -> ImportRequest:
    wrong = galaxies()["objid", "ra", "dec"]
    wrong["MODELFLUX"] = np.full((N, 5), 1e12)
    wrong.write(folder / "catalog.fits")
    return ImportRequest(folder / "catalog.fits")


@bad("sfr_p84: quantiles must ascend")
def quantiles_that_do_not_ascend(folder: Path) -> ImportRequest:
    wrong = galaxies()
    wrong["sfr_p16"], wrong["sfr_p84"] = np.full(N, 0.5), np.full(N, 0.1)
    return table(folder, wrong)


@bad("modelFlux_.band.: no such column|modelFlux_u: no such column")
def a_declared_column_that_is_not_there(folder: Path) -> ImportRequest:
    return table(folder, galaxies(), "model=modelFlux_{band},unit=nanomaggies")


@bad("expected unit=nanomaggies|asinh|mag for declared fluxes")
def fluxes_declared_without_a_unit(folder: Path) -> ImportRequest:
    return table(folder, galaxies(), "model=modelMag_{band}")


@bad("model_ivar is in 1/nanomaggies")
def an_inverse_variance_of_magnitudes(folder: Path) -> ImportRequest:
    declared = "model=modelMag_{band},model_ivar=modelMagErr_{band},unit=asinh"
    return table(folder, galaxies(), declared)


# --- spectra ------------------------------------------------------------------------


@bad("expected spec-")
def a_folder_without_spectra(folder: Path) -> ImportRequest:
    (folder / "spectra").mkdir()
    return ImportRequest(spectra=folder / "spectra")


@bad("spec-0001-50000-0001.fits")
def a_spectrum_that_is_a_text(folder: Path) -> ImportRequest:
    (folder / "spec-0001-50000-0001.fits").write_text("not found")
    return ImportRequest(spectra=folder)


# --- images -------------------------------------------------------------------------

SKY: Final = {"ra": np.linspace(1, 9, 3), "dec": np.zeros(3)}


@bad(r"expected N x 5 x 64 x 64 \(bands ugriz\), found \(3, 4, 64, 64\)")
def images_with_four_bands(folder: Path) -> ImportRequest:
    return images(folder, images=stamps(3)[:, :4], **SKY)


@bad("expected bands u g r i z, found g r i z u")
def images_with_bands_in_another_order(folder: Path) -> ImportRequest:
    return images(folder, images=stamps(3), bands=np.array([*"grizu"]), **SKY)


@bad("expected nanomaggies as floats, found uint8")
def pictures_of_bytes(folder: Path) -> ImportRequest:
    return images(folder, images=stamps(3).astype(np.uint8), **SKY)


@bad("image 2: band g: expected finite pixels, found 1")
def an_image_with_a_hole(folder: Path) -> ImportRequest:
    pixels = stamps(3)
    pixels[1, 1, 5, 5] = np.nan
    return images(folder, images=pixels, **SKY)


@bad("image 3: band z: every pixel is 0")
def an_image_without_a_band(folder: Path) -> ImportRequest:
    pixels = stamps(3)
    pixels[2, 4] = 0
    return images(folder, images=pixels, **SKY)


@bad("expected positions")
def images_without_positions(folder: Path) -> ImportRequest:
    return images(folder, images=stamps(3))


@bad("ra: expected 3 finite degrees")
def images_with_too_few_positions(folder: Path) -> ImportRequest:
    return images(folder, images=stamps(3), ra=np.zeros(2), dec=np.zeros(3))


@bad("expected 3 different identifiers")
def images_with_an_identifier_twice(folder: Path) -> ImportRequest:
    names = np.array(["a", "b", "a"])
    return images(folder, images=stamps(3), object_id=names, **SKY)


@bad("expected an npz archive")
def an_archive_that_was_cut_off(folder: Path) -> ImportRequest:
    request = images(folder, images=stamps(3), **SKY)
    path = folder / "images.npz"
    path.write_bytes(path.read_bytes()[:2000])
    return request


@bad("expected an array of numbers|Object arrays")
def an_array_of_python_objects(folder: Path) -> ImportRequest:
    np.save(folder / "images.npy", np.array([{}]), allow_pickle=True)
    return ImportRequest(images=folder / "images.npy")


@bad("expected an array images")
def an_archive_without_images(folder: Path) -> ImportRequest:
    return images(folder, pictures=stamps(3))


@bad("frames are cut at known positions")
def frames_without_positions(folder: Path) -> ImportRequest:
    write_field(folder, ra=10.0, dec=0.0)
    return ImportRequest(images=folder)


@bad("expected five bands, found no z")
def a_field_of_four_frames(folder: Path) -> ImportRequest:
    write_field(folder, ra=10.0, dec=0.0)
    next(folder.glob("frame-z-*")).unlink()
    write_csv(galaxies(), folder / "catalog.csv")
    return ImportRequest(folder / "catalog.csv", images=folder)


@bad("--match row: expected an image for each of 40 rows")
def fewer_images_than_rows(folder: Path) -> ImportRequest:
    write_csv(galaxies(), folder / "catalog.csv")
    np.save(folder / "images.npy", stamps(3))
    return ImportRequest(
        folder / "catalog.csv", images=folder / "images.npy", match=MatchBy.ROW
    )


@bad("radius: expected arcseconds in")
def a_radius_of_a_degree(folder: Path) -> ImportRequest:
    write_csv(galaxies(), folder / "catalog.csv")
    return ImportRequest(folder / "catalog.csv", radius_arcsec=3600)


def _number_the_nameless() -> None:
    for place, case in enumerate(CASES):
        if case.name == "<lambda>":
            CASES[place] = BadInput(case.message, case.build, case.message)


_number_the_nameless()
