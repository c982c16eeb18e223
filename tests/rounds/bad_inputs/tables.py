"""Files that are no tables, or tables that nobody can understand."""

import bz2
import gzip
import lzma
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from astropy.io import fits

from al_service.survey.catalogs.column_map import read_declaration
from al_service.survey.importing.request import ImportRequest
from tests.rounds.bad_inputs.cases import bad, lines, text
from tests.survey.catalogs.tables import (
    N,
    galaxies,
    write_ecsv,
    write_fits,
    write_parquet,
    write_votable,
)


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


@bad("expected a table with fields, found none")
def a_votable_without_fields(folder: Path) -> ImportRequest:
    return text(folder, "<VOTABLE><RESOURCE><TABLE/></RESOURCE></VOTABLE>")


@bad("row 2: expected 30 cells, found 29")
def a_votable_with_a_short_row(folder: Path) -> ImportRequest:
    write_votable(galaxies(), folder / "catalog")
    rows = (folder / "catalog").read_text().split("<TR>")
    rows[2] = re.sub(r"\s*<TD>[^<]*</TD>", "", rows[2], count=1)
    return text(folder, "<TR>".join(rows))


@bad("expected a header of ECSV")
def an_ecsv_whose_header_is_none(folder: Path) -> ImportRequest:
    write_ecsv(galaxies(), folder / "catalog")
    good = (folder / "catalog").read_text()
    return text(folder, good.replace("# datatype:", "# datatype: [", 1))


@bad("decompresses to more than")
def a_bzip2_bomb(folder: Path) -> ImportRequest:
    return text(folder, bz2.compress(b"0" * 80_000_000))


@bad("expected a whole compressed file")
def an_xz_that_was_cut_off(folder: Path) -> ImportRequest:
    return text(folder, lzma.compress(b"object_id,ra,dec\n" + b"a,1,2\n" * 9999)[:-20])


@bad("column ra: expected one value per row, found 2 of them")
def two_positions_in_one_cell(folder: Path) -> ImportRequest:
    wrong = galaxies()["objid", "ra", "dec"]
    wrong["ra"] = np.ones((N, 2))
    wrong.write(folder / "catalog.fits")
    return ImportRequest(folder / "catalog.fits")


@bad("column modelMag_r: expected numbers or text, found struct")
def a_structure_in_place_of_a_number(folder: Path) -> ImportRequest:
    wrong = galaxies()
    columns = {name: wrong[name].tolist() for name in wrong.colnames}
    columns["modelMag_r"] = [{"value": 1.0}] * N
    pq.write_table(pa.table(columns), folder / "catalog.parquet")
    return ImportRequest(folder / "catalog.parquet")
