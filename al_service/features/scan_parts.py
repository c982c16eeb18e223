"""Parts of a pool's scan on disk: small files that appear whole or not at all.

A part's name carries the CRC-32 of its content: one that was damaged is noticed, and
two that scan one pool at once write the same files.
"""

import io
import zlib
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from al_service.survey.atomic_file import new_file
from al_service.survey.pool_writer import chunk_rows
from al_service.survey.spectra.grid import N_PIXELS
from al_service.survey.unfinished import clear_abandoned

_PART_ROWS: Final = chunk_rows((2, N_PIXELS))
"""As many as lie in one chunk on disk, so that each is unpacked once: two seconds."""

ROW: Final = np.dtype(
    [
        ("row", "<i8"),
        ("z", "<f8"),
        ("z_error", "<f8"),
        ("confidence", "<f8"),
        ("gain", "<f8"),
        ("spectral_class", "<U6"),
    ]
)
"""What is kept of one spectrum, and the row of its object in the pool."""

Scanned = NDArray[Any]  # of `ROW`


def parts_of(has_spectrum: NDArray[np.bool_]) -> list[range]:
    """Rows of the parts in which at least one object has a spectrum."""
    n = len(has_spectrum)
    every = (
        range(start, min(start + _PART_ROWS, n)) for start in range(0, n, _PART_ROWS)
    )
    return [part for part in every if has_spectrum[part.start : part.stop].any()]


def clear_unfinished(place: Path) -> None:
    """Delete what processes that were killed had begun to write."""
    clear_abandoned(place.glob(".*"))


def stored_parts(place: Path, parts: list[range]) -> dict[range, Scanned]:
    """Those of the parts that are on disk; what was damaged is deleted."""
    wanted = {_name(part): part for part in parts}
    stored = {}
    for path in sorted(place.glob("[!.]*.npy")):
        name, _, crc = path.stem.rpartition("-")
        part = wanted.get(name)
        if part is None:
            continue
        content = path.read_bytes()
        if _crc(content) == crc:
            stored[part] = np.load(io.BytesIO(content), allow_pickle=False)
        else:
            path.unlink(missing_ok=True)
    return stored


def store_part(place: Path, part: range, scanned: Scanned) -> None:
    """Write what was found in the rows of a part."""
    buffer = io.BytesIO()
    np.save(buffer, scanned, allow_pickle=False)
    content = buffer.getvalue()
    with new_file(place / f"{_name(part)}-{_crc(content)}.npy") as file:
        file.write(content)


def _name(part: range) -> str:
    return f"{part.start:09d}-{part.stop:09d}"


def _crc(content: bytes) -> str:
    return f"{zlib.crc32(content):08x}"
