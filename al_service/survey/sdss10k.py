"""Ten thousand real SDSS galaxies that come with the `kcorrect` wheel.

Columns read: model and Petrosian fluxes with inverse variances (nanomaggies, as
measured), extinction (mag), position (ICRS degrees), spectroscopic redshift.
"""

from pathlib import Path
from typing import Final

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from al_service.survey.kcorrect_templates import kcorrect_data
from al_service.survey.photometry_columns import errors_from_ivar
from al_service.survey.pool_arrays import PoolColumns, write_pool_arrays
from al_service.survey.positions import group_by_position, position_names
from al_service.survey.targets import Target

POOL_NAME: Final = "sdss10k"
TARGETS: Final[tuple[str, ...]] = (Target.Z.value,)
_FILE: Final = "test/gst_tests_small.fits"


def read_sdss10k() -> tuple[PoolColumns, NDArray[np.float32]]:
    """The galaxies in the order of the file.

    Returns:
        The small columns, with redshifts as known labels, and the `N x P` photometry.
    """
    with fits.open(sdss10k_file(), memmap=False) as hdus:
        table = hdus[1].data
        ra = np.asarray(table["RA"], dtype=np.float64)
        dec = np.asarray(table["DEC"], dtype=np.float64)
        redshift = np.asarray(table["Z"], dtype=np.float64)
        photometry = _photometry(table)
    object_ids = position_names(ra, dec)
    columns = PoolColumns(
        object_ids=object_ids,
        group_ids=group_by_position(object_ids, ra, dec),
        ra=ra,
        dec=dec,
        known_values=redshift[:, None],
        # The file gives no errors; those of SDSS are 1e-4 and less, far below what
        # photometry can tell.
        known_errors=np.full((len(redshift), 1), np.nan),
    )
    return columns, photometry


def write_sdss10k(path: Path) -> str:
    """Write the pool's arrays, if they are not there yet.

    Returns:
        The digest of the manifest.
    """
    columns, photometry = read_sdss10k()
    return write_pool_arrays(path, columns, photometry=photometry, targets=TARGETS)


def _photometry(table: fits.FITS_rec) -> NDArray[np.float32]:
    parts = []
    for kind in ("MODELFLUX", "PETROFLUX"):
        errors = errors_from_ivar(np.asarray(table[f"{kind}_IVAR"]))
        # A flux without an error is no measurement.
        parts += [np.where(np.isfinite(errors), table[kind], np.nan), errors]
    return np.concatenate([*parts, table["EXTINCTION"]], axis=1).astype(np.float32)


def sdss10k_file() -> Path:
    """The FITS table, where the wheel has put it.

    Raises:
        NotFound: the wheel is not installed.
    """
    return kcorrect_data() / _FILE
