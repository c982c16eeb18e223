"""`spec-PLATE-MJD-FIBER.fits`: one spectrum per file, SDSS-I/II to SDSS-V.

Data model: https://data.sdss.org/datamodel/files/SPECTRO_REDUX/RUN2D/spectra/PLATE4/spec.html

    HDU 0  the plate's header
    HDU 1  COADD: flux, loglam, ivar, and_mask, or_mask, wdisp, sky, model
    HDU 2  one row of specObj (SDSS) or spAll (BOSS): class, z, ...
    HDU 3  emission lines; HDU 4 and on (full files only) the single exposures

Oddities, all of them met in real files:

- Case differs: `flux` until DR17, `FLUX` in SDSS-V; `SPECOBJ`, `SPALL` or no name for
  HDU 2. HDUs are therefore taken by number, columns in capitals.
- `SN_MEDIAN` has one value per band (u g r i z), `SN_MEDIAN_ALL` is the one of the
  whole spectrum that CasJobs calls `snMedian`. Early reductions have a scalar
  `SN_MEDIAN` and no other.
- BOSS repeats the fit without quasar templates: `Z_NOQSO`, `CLASS_NOQSO`. SDSS files
  carry these too, filled with zeros, so they are not used: `Z` and `CLASS` always are.
- RA and DEC of HDU 0 are the plate's center, not the object; `PLUG_RA` is the fiber.
- `SPECOBJID` is text with blanks before it (SDSS), an unsigned 64-bit integer (BOSS).
  The object in the images is `BESTOBJID` in SDSS. In BOSS it is `OBJID` as text, but in
  SDSS `OBJID` is five integers that are no identifier.
- Files get renamed: plate, MJD and fiber come from the table, never from the name.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from al_service.survey.spectra.fits_tables import Table, read_table, walk_hdus
from al_service.survey.spectra.grid import first_pixel, on_grid
from al_service.survey.spectra.opening import plain_spectrum
from al_service.survey.spectra.spectrum import BadSpectrum, Spectrum

COADD_HDU: Final = 1
OBJECT_HDU: Final = 2

FIRST_BOSS_MJD: Final = 55_100
"""The SDSS spectrographs retired in summer 2009, those of BOSS began that winter."""

_RA_COLUMNS: Final = ("PLUG_RA", "FIBER_RA", "RACAT", "RA")
_DEC_COLUMNS: Final = ("PLUG_DEC", "FIBER_DEC", "DECCAT", "DEC")


def read_spec_file(path: Path) -> Spectrum:
    """The spectrum of a `spec` file, full or lite.

    Raises:
        BadSpectrum: The file is truncated, lacks an HDU or a column, is on another
            grid, or holds no pixel that could be used.
    """
    try:
        with plain_spectrum(path) as plain, plain.open("rb") as file:
            places = walk_hdus(path, file, OBJECT_HDU + 1)
            if len(places) <= OBJECT_HDU:
                raise BadSpectrum(
                    path,
                    len(places),
                    "missing: expected HDU 1 with the coadded spectrum and HDU 2 with "
                    f"the object's row, found {len(places)} HDU(s)",
                )
            coadd = read_table(path, file, places[COADD_HDU])
            row = read_table(path, file, places[OBJECT_HDU])
    except OSError as error:
        raise BadSpectrum(path, None, f"cannot be read: {error.strerror}") from error
    coadd.require("FLUX", "LOGLAM", "IVAR", "AND_MASK", "SKY")
    coadd.require_numbers("FLUX", "LOGLAM", "IVAR", "AND_MASK", "SKY")
    row.require("CLASS", "Z", "ZWARNING", "MJD")
    if len(row.rows) != 1:
        raise BadSpectrum(
            path, OBJECT_HDU, f"expected one row, found {len(row.rows)} of them"
        )
    pixels = _pixels(coadd)
    return _spectrum(row, pixels)


def check_pixels(
    path: Path, hdu: int, flux: NDArray[Any], ivar: NDArray[Any]
) -> NDArray[np.bool_]:
    """Which of the pixels have a flux.

    Args:
        path: of the file, to be named in errors.
        hdu: likewise.
        flux: `M` or `N x M`.
        ivar: same shape; 0 where there is no flux.

    Raises:
        BadSpectrum: A number that is none where there should be a flux.
    """
    if not np.isfinite(ivar).all() or (ivar < 0).any():
        wrong = int(np.sum(~(ivar >= 0) | ~np.isfinite(ivar)))
        raise BadSpectrum(
            path, hdu, f"ivar: expected finite numbers >= 0, {wrong} pixel(s) are not"
        )
    seen = ivar > 0
    wrong = int(np.sum(seen & ~np.isfinite(flux)))
    if wrong:
        raise BadSpectrum(
            path, hdu, f"flux: not a number at {wrong} pixel(s) whose ivar is positive"
        )
    return np.asarray(seen)


def _pixels(coadd: Table) -> dict[str, NDArray[Any]]:
    if len(coadd.rows) == 0:
        raise BadSpectrum(coadd.path, coadd.hdu, "the table has no rows")
    flux, ivar = coadd.column("FLUX"), coadd.column("IVAR")
    seen = check_pixels(coadd.path, coadd.hdu, flux, ivar)
    try:
        first = first_pixel(coadd.column("LOGLAM"))
    except ValueError as error:
        raise BadSpectrum(coadd.path, coadd.hdu, f"another grid: {error}") from error
    sky = coadd.column("SKY")
    return {
        "flux": on_grid(np.where(seen, flux, 0.0).astype(np.float32), first),
        "ivar": on_grid(ivar.astype(np.float32), first),
        "mask": on_grid(coadd.column("AND_MASK").astype(np.int32), first),
        "sky": on_grid(np.where(np.isfinite(sky), sky, 0).astype(np.float32), first),
    }


def _spectrum(row: Table, pixels: dict[str, NDArray[Any]]) -> Spectrum:
    mjd = _whole(row, "MJD")
    spectrum = Spectrum(
        path=row.path,
        plate=_whole(row, "PLATE", "FIELD"),
        mjd=mjd,
        fiber=_whole(row, "FIBERID", "CATALOGID", "TARGET_INDEX"),
        ra=_real(row, *_RA_COLUMNS),
        dec=_real(row, *_DEC_COLUMNS),
        **pixels,
        sn_median=_sn_median(row, pixels),
        spectral_class=_text(row, "CLASS").upper(),
        subclass=_text(row, "SUBCLASS"),
        z=_real(row, "Z"),
        z_err=_positive(row, "Z_ERR"),
        zwarning=_whole(row, "ZWARNING"),
        instrument=_text(row, "INSTRUMENT")
        or ("BOSS" if mjd >= FIRST_BOSS_MJD else "SDSS"),
        spec_obj_id=_identifier(row, "SPECOBJID"),
        photo_obj_id=_identifier(row, "BESTOBJID") or _identifier(row, "OBJID"),
    )
    check_place(spectrum, OBJECT_HDU)
    if not spectrum.good.any():
        raise BadSpectrum(
            row.path, COADD_HDU, "no good pixel: ivar or mask rule out every one"
        )
    return spectrum


def check_place(spectrum: Spectrum, hdu: int) -> None:
    """Check that the fiber points at the sky.

    Raises:
        BadSpectrum: Right ascension or declination is out of range or no number.
    """
    if not (0.0 <= spectrum.ra < 360.0 and -90.0 <= spectrum.dec <= 90.0):
        raise BadSpectrum(
            spectrum.path,
            hdu,
            "expected a position with 0 <= RA < 360 and -90 <= Dec <= 90, "
            f"found {spectrum.ra}, {spectrum.dec}",
        )


def _first(row: Table, *names: str) -> Any:  # Any: what the column holds
    for name in names:
        if name in row.columns and row.rows.dtype[name].shape == ():
            return row.column(name)[0]
    raise BadSpectrum(
        row.path, row.hdu, f"expected a column {' or '.join(names)}, found none"
    )


def _whole(row: Table, *names: str) -> int:
    exact = _first(row, *names)
    if isinstance(exact, np.integer):  # CATALOGID of SDSS-V exceeds 2^53
        return int(exact)
    value = _real(row, *names)
    if not value.is_integer():
        raise BadSpectrum(
            row.path, row.hdu, f"{names[0]}: expected an integer, found {value}"
        )
    return int(value)


def _real(row: Table, *names: str) -> float:
    value = _first(row, *names)
    try:
        return float(value)
    except ValueError:
        raise BadSpectrum(
            row.path, row.hdu, f"{names[0]}: expected a number, found {value!r}"
        ) from None


def _text(row: Table, name: str) -> str:
    if name not in row.columns or row.rows.dtype[name].kind != "S":
        return ""
    raw: bytes = row.rows[name][0]
    return raw.decode("ascii", errors="replace").strip("\0 ")


def _identifier(row: Table, name: str) -> str:
    if name not in row.columns or row.rows.dtype[name].shape != ():
        return ""
    if row.rows.dtype[name].kind == "S":
        return _text(row, name)
    number = int(row.column(name)[0])
    return str(number) if number > 0 else ""


def _positive(row: Table, name: str) -> float:
    value = _real(row, name) if name in row.columns else np.nan
    return value if value > 0 else np.nan  # -1 marks a fit at the edge of its range


def _sn_median(row: Table, pixels: dict[str, NDArray[Any]]) -> float:
    for name in ("SN_MEDIAN_ALL", "SN_MEDIAN"):
        if name in row.columns and row.rows.dtype[name].shape == ():
            return _real(row, name)
    seen = pixels["ivar"] > 0
    if not seen.any():
        return 0.0
    return float(np.median(pixels["flux"][seen] * np.sqrt(pixels["ivar"][seen])))
