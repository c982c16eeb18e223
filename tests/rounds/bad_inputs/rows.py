"""Rows whose identifiers, positions, fluxes or labels cannot be what they say."""

from pathlib import Path

import numpy as np

from al_service.survey.importing.request import ImportRequest
from tests.rounds.bad_inputs.cases import bad, cell, table
from tests.survey.catalogs.tables import FIRST_ID, N, changed, galaxies


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


@bad("no columns ra and dec")
def no_positions(folder: Path) -> ImportRequest:
    wrong = galaxies()
    wrong.remove_column("dec")
    return table(folder, wrong)


cell(
    "a_right_ascension_below_0",
    "ra",
    -10.0,
    r"line 5: ra: expected degrees in \[0, 360\], found -10",
)
cell(
    "a_declination_beyond_the_pole",
    "dec",
    91.0,
    r"line 5: dec: expected degrees in \[-90, 90\], found 91",
)
cell(
    "a_missing_right_ascension",
    "ra",
    -9999.0,
    "line 5: ra: expected degrees, found nothing",
)
cell(
    "a_declination_in_hours",
    "dec",
    "12:30:00",
    "line 5: dec: expected a number, found '12:30:00'",
)
cell(
    "an_infinite_right_ascension",
    "ra",
    np.inf,
    "line 5: ra: expected a finite number, found infinity",
)


cell(
    "a_magnitude_that_is_a_word",
    "modelMag_r",
    "faint",
    "line 5: modelMag_r: expected a number, found 'faint'",
)
cell(
    "a_magnitude_of_99",
    "modelMag_r",
    99.0,
    r"model: expected magnitudes in \[-5, 45\], found 99.0 in r",
)
cell(
    "an_error_below_0",
    "modelMagErr_r",
    -0.1,
    "model_err: expected errors above 0, found -0.1 in r",
)
cell(
    "an_extinction_below_0",
    "extinction_u",
    -1.0,
    r"extinction: expected magnitudes in \[0, 60\]",
)
cell("a_redshift_of_9", "z", 9.0, r"z: expected z in \[-0.01, 8\], found 9.0")


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
