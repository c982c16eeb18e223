"""`spPlate-PLATE-MJD.fits`: all 640 or 1000 spectra of a plate in one file.

Data model: https://data.sdss.org/datamodel/files/SPECTRO_REDUX/RUN2D/PLATE4/spPlate.html

    HDU 0  flux, N x M; loglam = COEFF0 + COEFF1 i
    HDU 1  IVAR     HDU 2  ANDMASK     HDU 3  ORMASK     HDU 4  WAVEDISP
    HDU 5  PLUGMAP, one row per fiber    HDU 6  SKY

Oddities: the plate has one grid, so a fiber's ends are padded with `ivar` 0; the plug
map's RA and DEC are the fiber's; `FIBERID` counts from 1; sky fibers and unplugged ones
are there like any other. Class and redshift are not in this file: they stand in
`spZbest-PLATE-MJD.fits` and stay unknown here.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from al_service.survey.spectra.fits_tables import walk_hdus
from al_service.survey.spectra.grid import first_pixel, on_grid
from al_service.survey.spectra.opening import plain_spectrum
from al_service.survey.spectra.spec_file import (
    FIRST_BOSS_MJD,
    check_pixels,
    check_place,
)
from al_service.survey.spectra.spectrum import BadSpectrum, Spectrum

IMAGES: Final = {"flux": 0, "ivar": 1, "mask": 2, "sky": 6}
PLUGMAP_HDU: Final = 5
_COLUMNS: Final = ("FIBERID", "RA", "DEC")


def read_sp_plate(path: Path) -> Iterator[Spectrum]:
    """The spectra of a plate in the order of their fibers, one in memory at a time.

    A fiber without any good pixel (unplugged, dead) is left out: it is no observation.

    Raises:
        BadSpectrum: The file lacks an HDU or a column, its arrays differ in shape, or
            its grid is another. All of this is found before the first spectrum.
    """
    last = max(PLUGMAP_HDU, *IMAGES.values())
    try:
        with plain_spectrum(path) as plain:
            with plain.open("rb") as file:  # astropy finds a truncated end too late
                places = walk_hdus(path, file, last + 1)
            if len(places) <= last:
                raise BadSpectrum(
                    path,
                    len(places),
                    f"missing: expected HDUs 0 to {last}, found {len(places)}",
                )
            with fits.open(plain, memmap=False, lazy_load_hdus=True) as hdus:
                plugs, first = _check_layout(path, hdus)
                for number in range(len(plugs)):
                    spectrum = _read_row(path, hdus, plugs[number], number, first)
                    if spectrum.good.any():
                        yield spectrum
    except OSError as error:
        raise BadSpectrum(
            path, None, f"cannot be read: {error.strerror or error}"
        ) from error


def _check_layout(path: Path, hdus: fits.HDUList) -> tuple[fits.FITS_rec, int]:
    shape = hdus[0].shape
    if len(shape) != 2 or 0 in shape:
        raise BadSpectrum(
            path, 0, f"expected fluxes of N fibers x M pixels, found shape {shape}"
        )
    for name, hdu in IMAGES.items():
        if not hdus[hdu].is_image or hdus[hdu].shape != shape:
            raise BadSpectrum(
                path, hdu, f"{name}: expected an array {shape}, found {hdus[hdu].shape}"
            )
    return _plug_map(path, hdus, shape[0]), _first_pixel(path, hdus[0].header, shape[1])


def _plug_map(path: Path, hdus: fits.HDUList, n_fibers: int) -> fits.FITS_rec:
    hdu = hdus[PLUGMAP_HDU]
    found = [] if hdu.is_image else [name.upper() for name in hdu.columns.names]
    missing = [name for name in _COLUMNS if name not in found]
    if missing:
        raise BadSpectrum(
            path,
            PLUGMAP_HDU,
            f"expected the plug map with columns {', '.join(_COLUMNS)}; "
            f"{', '.join(missing)} missing",
        )
    if len(hdu.data) != n_fibers:
        raise BadSpectrum(
            path, PLUGMAP_HDU, f"expected {n_fibers} fibers, found {len(hdu.data)}"
        )
    return hdu.data


def _first_pixel(path: Path, header: fits.Header, n_pixels: int) -> int:
    keys = ("COEFF0", "COEFF1", "PLATEID", "MJD")
    missing = [key for key in keys if key not in header]
    if missing:
        raise BadSpectrum(path, 0, f"the header has no {' and no '.join(missing)}")
    loglam = header["COEFF0"] + header["COEFF1"] * np.arange(n_pixels)
    try:
        return first_pixel(loglam)
    except ValueError as error:
        raise BadSpectrum(path, 0, f"another grid: {error}") from error


def _read_row(
    path: Path, hdus: fits.HDUList, plug: fits.FITS_record, number: int, first: int
) -> Spectrum:
    rows: dict[str, NDArray[Any]] = {
        name: np.asarray(hdus[hdu].section[number]) for name, hdu in IMAGES.items()
    }
    seen = check_pixels(path, IMAGES["ivar"], rows["flux"], rows["ivar"])
    flux = np.where(seen, rows["flux"], 0.0).astype(np.float32)
    ivar = rows["ivar"].astype(np.float32)
    ratio = (flux * np.sqrt(ivar))[seen]
    mjd = int(hdus[0].header["MJD"])
    spectrum = Spectrum(
        path=path,
        plate=int(hdus[0].header["PLATEID"]),
        mjd=mjd,
        fiber=int(plug["FIBERID"]),
        ra=float(plug["RA"]),
        dec=float(plug["DEC"]),
        flux=on_grid(flux, first),
        ivar=on_grid(ivar, first),
        mask=on_grid(rows["mask"].astype(np.int32), first),
        sky=on_grid(rows["sky"].astype(np.float32), first),
        sn_median=float(np.median(ratio)) if ratio.size else 0.0,
        spectral_class="",
        subclass="",
        z=np.nan,
        z_err=np.nan,
        zwarning=0,
        instrument="BOSS" if mjd >= FIRST_BOSS_MJD else "SDSS",
        spec_obj_id="",
        photo_obj_id="",
    )
    check_place(spectrum, PLUGMAP_HDU)
    return spectrum
