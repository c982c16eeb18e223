"""Ready-made cutouts: npy, npz, Zarr, one FITS file of all, or one file each."""

import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import zarr
from astropy.io import fits
from astropy.wcs import WCS
from numpy.typing import NDArray

from al_service.errors import InvalidInput, Problem
from al_service.survey.catalogs.columns import texts
from al_service.survey.catalogs.fits_table import FITS_TROUBLE
from al_service.survey.catalogs.identifiers import RoundingWatch, identifiers
from al_service.survey.catalogs.plain_files import FREE_BYTES, MAX_RATIO, plain_file
from al_service.survey.images.stamp import (
    STAMP_SHAPE,
    ArrayImages,
    BadImage,
    check_bands,
    problem_of,
)

ARRAY_NAMES: Final = ("images", "image", "stamps", "cutouts")
ID_NAMES: Final = ("object_id", "object_ids", "objid", "id")


def open_array_file(path: Path, scratch: Path) -> ArrayImages:
    """Stamps in an npy, npz, Zarr or FITS file that holds all of them.

    Args:
        path: the file, or the folder of a Zarr array or group.
        scratch: folder for decompressed copies; it has to outlive the answer.

    Raises:
        BadImage: it is none of these, or not `N x 5 x 64 x 64`.
    """
    if path.is_dir():
        columns = _zarr_columns(path)
    elif path.suffix == ".npy":
        columns = {"images": _mapped(path, path)}
    elif path.suffix == ".npz":
        columns = _npz_columns(path, scratch)
    else:
        columns = _fits_columns(path, scratch)
    return _images(path, columns)


def read_cutout(path: Path) -> tuple[str, float, float, NDArray[np.float32]]:
    """One galaxy's FITS file: `B x H x W` nanomaggies, its name and position.

    The name is the keyword OBJID or OBJECT, else the name of the file; the position
    is RA and DEC, else the center of the world coordinates.
    """
    with plain_file(path) as plain:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with fits.open(plain, memmap=False) as hdus:
                    image = next((h for h in hdus if h.header.get("NAXIS") == 3), None)
                    if image is None:
                        raise BadImage(path, "expected an HDU of 5 x 64 x 64 pixels")
                    stamp = np.asarray(image.data, dtype=np.float32)
                    name, ra, dec = _identity(path, image.header)
        except FITS_TROUBLE as error:
            raise BadImage(path, f"expected a FITS image: {error}") from error
    problem = problem_of(stamp)
    if problem is not None:
        raise BadImage(path, problem)
    return name, ra, dec, stamp


def _identity(path: Path, header: fits.Header) -> tuple[str, float, float]:
    name = str(header.get("OBJID") or header.get("OBJECT") or path.name.split(".")[0])
    if "RA" in header and "DEC" in header:
        ra, dec = float(header["RA"]), float(header["DEC"])
    elif str(header.get("CTYPE1", "")).startswith("RA"):
        sides = header["NAXIS1"], header["NAXIS2"]
        center = [(side - 1) / 2.0 for side in sides]
        ra, dec = (float(x) for x in WCS(header, naxis=2).wcs_pix2world(*center, 0))
    else:
        raise BadImage(path, "expected a position: keywords RA and DEC, or a WCS")
    if not (0 <= ra % 360.0 < 360 and -90 <= dec <= 90):
        raise BadImage(path, f"expected a position on the sky, found {ra}, {dec}")
    return name, ra % 360.0, dec


def _images(path: Path, columns: Mapping[str, Any]) -> ArrayImages:  # Any: arrays
    array = _stamps(path, columns)
    n = int(array.shape[0])
    found_id = next((key for key in ID_NAMES if key in columns), None)
    ids = None if found_id is None else _ids(path, found_id, columns[found_id][:], n)
    sky = {key: _degrees(path, key, columns, n) for key in ("ra", "dec")}
    if sky["ra"] is None or sky["dec"] is None:
        return ArrayImages(array, ids, None, None)
    return ArrayImages(array, ids, sky["ra"] % 360.0, sky["dec"])


def _stamps(path: Path, columns: Mapping[str, Any]) -> Any:  # Any: an array on disk
    name = next((name for name in ARRAY_NAMES if name in columns), None)
    if name is None:
        raise BadImage(
            path,
            f"expected an array {' or '.join(ARRAY_NAMES)}, found"
            f" {', '.join(columns) or 'nothing'}",
        )
    array = columns[name]
    if tuple(array.shape[1:]) != STAMP_SHAPE:
        raise BadImage(
            path, f"{name}: expected N x 5 x 64 x 64 (bands ugriz), found {array.shape}"
        )
    if np.dtype(array.dtype).kind != "f":
        raise BadImage(
            path, f"{name}: expected nanomaggies as floats, found {array.dtype}"
        )
    if "bands" in columns:
        check_bands(path, [str(band) for band in columns["bands"][:]])
    return array


def _degrees(
    path: Path, key: str, columns: Mapping[str, Any], n: int
) -> NDArray[np.float64] | None:
    """`N` degrees; None where the file has none."""
    if key not in columns:
        return None
    degrees = np.asarray(columns[key][:], dtype=np.float64)
    if degrees.shape != (n,) or not np.isfinite(degrees).all():
        raise BadImage(path, f"{key}: expected {n} finite degrees")
    return degrees


def _ids(path: Path, name: str, column: NDArray[Any], n: int) -> list[str]:
    if column.dtype.kind == "S":
        column = np.char.decode(column, "utf-8")
    ids = texts(column) if column.dtype.kind in "OU" else identifiers(column)
    watch = RoundingWatch(name)
    try:
        watch.see(column, ids)
        watch.judge()
    except InvalidInput as error:
        raise BadImage(path, str(error)) from error
    if len(ids) != n or len(set(ids)) != n or None in ids:
        raise BadImage(path, f"{name}: expected {n} different identifiers")
    return [str(one) for one in ids]


def _zarr_columns(path: Path) -> dict[str, Any]:  # Any: Zarr arrays
    try:
        found = zarr.open(path, mode="r")
    except Exception as error:  # Zarr raises anything on foreign folders
        raise BadImage(path, f"expected a Zarr array or group: {error}") from error
    if isinstance(found, zarr.Array):
        return {"images": found}
    return dict(found.arrays())


def _mapped(path: Path, shown: Path) -> NDArray[Any]:
    try:
        return np.asanyarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except (ValueError, OSError, EOFError) as error:
        raise BadImage(shown, f"expected an array of numbers: {error}") from error


def _npz_columns(path: Path, scratch: Path) -> dict[str, Any]:  # Any: arrays
    columns = {}
    try:
        with zipfile.ZipFile(path) as archive:
            limit = max(FREE_BYTES, MAX_RATIO * path.stat().st_size)
            if sum(member.file_size for member in archive.infolist()) > limit:
                raise BadImage(path, f"decompresses to more than {limit:,} bytes")
            for number, member in enumerate(archive.infolist()):
                target = scratch / f"{number}.npy"
                with archive.open(member) as packed, target.open("wb") as file:
                    while block := packed.read(2**20):
                        file.write(block)
                name = member.filename.removesuffix(".npy")
                columns[name] = _mapped(target, path)
    except (zipfile.BadZipFile, OSError, NotImplementedError) as error:
        raise BadImage(path, f"expected an npz archive: {error}") from error
    return columns


def _fits_columns(path: Path, scratch: Path) -> dict[str, Any]:  # Any: arrays
    """A FITS file with one HDU `N x 5 x 64 x 64` and, beside it, a table of names."""
    with plain_file(path) as plain:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with fits.open(plain, memmap=True) as hdus:
                    return _copied(path, hdus, scratch)
        except FITS_TROUBLE as error:
            raise BadImage(path, f"expected FITS images: {error}") from error


def _copied(path: Path, hdus: Any, scratch: Path) -> dict[str, Any]:  # Any: untyped
    columns: dict[str, Any] = {}
    for hdu in hdus:
        if isinstance(hdu, fits.BinTableHDU):
            columns |= {
                name.lower(): np.array(hdu.data[name])
                for name in hdu.columns.names
                if name.lower() in (*ID_NAMES, "ra", "dec")
            }
        elif hdu.header.get("NAXIS") == 4 and "images" not in columns:
            target = np.lib.format.open_memmap(
                scratch / "images.npy",
                mode="w+",
                dtype=np.float32 if hdu.header["BITPIX"] < 0 else np.int32,
                shape=hdu.shape,
            )
            for row in range(hdu.shape[0]):
                target[row] = hdu.section[row]
            columns["images"] = target
    if "images" not in columns:
        raise BadImage(path, "expected an HDU of N x 5 x 64 x 64 pixels")
    return columns


CutoutReader = Callable[[Path], tuple[str, float, float, NDArray[np.float32]]]


def note(path: Path, message: str) -> Problem:
    """A problem of a whole file, whose path the message may begin with."""
    return Problem(str(path), message.removeprefix(f"{path}: "))
