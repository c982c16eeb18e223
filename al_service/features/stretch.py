"""Linear within the noise, logarithmic far above it."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_BLOCK: Final = 2**16
"""Numbers stretched at a time: what lies in between stays in the processor's cache."""


def asinh(values: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Inverse hyperbolic sine to an absolute error of 2e-6, any shape.

    Several times as fast as `numpy.arcsinh`, which takes half of the time of scoring an
    image: logarithms and roots of single precision are vectorized, it is not.
    """
    given = np.ascontiguousarray(values, dtype=np.float32)
    stretched = np.empty_like(given)
    flat, into = given.reshape(-1), stretched.reshape(-1)
    for start in range(0, len(flat), _BLOCK):
        block = flat[start : start + _BLOCK]
        size = np.abs(block)
        root = size * size
        root += np.float32(1.0)
        np.sqrt(root, out=root)
        root += size
        np.log(root, out=root)
        np.copysign(root, block, out=into[start : start + _BLOCK])
    return stretched
