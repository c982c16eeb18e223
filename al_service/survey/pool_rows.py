"""One object's measurements, without the columns of all the others.

A pool of a million objects takes a second to open: whoever shows one of them reads one
row of one array.
"""

from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray


def read_image(pool: Path, row: int) -> NDArray[np.float32]:
    """`B x H x W` nanomaggies of an object that has an image.

    Args:
        pool: folder of the pool's arrays.
        row: of the object.
    """
    return _read(pool / "image", row)


def read_spectrum(pool: Path, row: int) -> NDArray[np.float32]:
    """`C x L` of an object that has a spectrum: flux, and its inverse variance.

    Args:
        pool: folder of the pool's arrays.
        row: of the object.
    """
    return _read(pool / "spectrum", row)


def _read(path: Path, row: int) -> NDArray[np.float32]:
    array: Any = zarr.open_array(path, mode="r")  # Any: zarr's rows are of many types
    return np.asarray(array[row], dtype=np.float32)
