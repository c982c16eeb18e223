"""Is a file what was published? By its structure, and by its checksum, if any."""

import bz2
import hashlib
import io
import warnings
from pathlib import Path
from typing import IO, Final

from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning

from al_service.fetch.problems import NotWhole

BLOCK: Final = 2880
"""FITS files are made of such blocks (FITS standard 4.0, section 3.1)."""

LARGEST_UNPACKED: Final = 64 * 2**20
"""A frame has 12.4 MB; more than this is no frame, whatever it claims."""

_CHUNK: Final = 2**20


def verify(path: Path, *, name: str, sha1: str | None) -> str:
    """Read a file to its end and refuse it unless it is whole.

    Args:
        path: where it lies.
        name: what it is called, `.fits` or `.fits.bz2`.
        sha1: as the archive publishes it; None where it does not.

    Returns:
        sha256 of its bytes.

    Raises:
        NotWhole: It is truncated, was changed, or is something else.
    """
    ours, theirs = hashlib.sha256(), hashlib.sha1(usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            ours.update(chunk)
            theirs.update(chunk)
    if sha1 is not None and theirs.hexdigest() != sha1:
        raise NotWhole(f"{name}: expected sha1 {sha1}, found {theirs.hexdigest()}")
    if name.endswith(".bz2"):
        unpacked = _unpack(path, name)
        _check_fits(io.BytesIO(unpacked), len(unpacked), name)
    else:
        with path.open("rb") as file:
            _check_fits(file, path.stat().st_size, name)
    return ours.hexdigest()


def _unpack(path: Path, name: str) -> bytes:
    """What a bz2 file holds; its blocks carry checksums, which are compared."""
    try:
        with bz2.open(path) as file:
            unpacked = file.read(LARGEST_UNPACKED + 1)
    except (EOFError, OSError) as error:
        raise NotWhole(f"{name}: expected a whole bz2 file: {error}") from error
    if len(unpacked) > LARGEST_UNPACKED:
        raise NotWhole(
            f"{name}: expected at most {LARGEST_UNPACKED} bytes unpacked, found more"
        )
    return unpacked


def _check_fits(file: IO[bytes], size: int, name: str) -> None:
    """Every unit's header can be read, and the last unit ends where the file does."""
    start = file.read(len(b"SIMPLE  ="))
    if start != b"SIMPLE  =":
        raise NotWhole(f"{name}: expected a FITS file, found one that begins {start!r}")
    file.seek(0)
    try:
        with (
            warnings.catch_warnings(action="error", category=AstropyWarning),
            fits.open(file, memmap=False, lazy_load_hdus=False) as units,
        ):
            last = units[-1].fileinfo()
            end = last["datLoc"] + last["datSpan"]
    except (AstropyWarning, OSError, ValueError, KeyError, TypeError) as error:
        raise NotWhole(f"{name}: expected a whole FITS file: {error}") from error
    if end != size:
        raise NotWhole(
            f"{name}: expected {end} bytes by its headers, found {size}: "
            f"{'truncated' if size < end else 'something follows'}"
        )
