"""Quadratic forms xᵀMx: found fast in float32, settled in float64."""

from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

Floats = NDArray[np.float64]

ROUNDING: Final = 2e-6
"""Relative error of a float32 product of some hundred terms, generously."""

_CHUNK: Final = 8192


def one_blas_thread() -> AbstractContextManager[object]:
    """Products within are summed in the same order on any number of cores."""
    limited: AbstractContextManager[object] = _libraries().limit(
        limits=1, user_api="blas"
    )
    return limited


@lru_cache(maxsize=1)
def _libraries() -> ThreadpoolController:
    """NumPy's BLAS is loaded with NumPy: it is looked for once, which takes a while."""
    return ThreadpoolController()


def quadratic(points: NDArray[np.float32], matrix: Floats) -> tuple[Floats, Floats]:
    """xᵀMx of all rows, by float32 products: a filter, not a verdict.

    Args:
        points: `N x D`.
        matrix: `D x D`, symmetric, without negative eigenvalues.

    Returns:
        `N` values, and how far each may be off: an object that lies where the matrix
        is small is seen through the rounding of where it is large.
    """
    eigenvalues, vectors = np.linalg.eigh(matrix)
    root = np.sqrt(np.maximum(eigenvalues, 0.0))
    factor = (vectors * root).astype(np.float32)
    found, lengths = np.empty(len(points)), np.empty(len(points))
    for start in range(0, len(points), _CHUNK):
        rows = slice(start, start + _CHUNK)
        seen = points[rows] @ factor
        found[rows] = np.einsum("nd,nd->n", seen, seen)
        lengths[rows] = np.einsum("nd,nd->n", points[rows], points[rows])
    blur = np.sqrt(found * lengths) * float(root.max(initial=0.0))
    return found, ROUNDING * (found + blur)


def squares(points: Floats, matrix: Floats, *, fixed_order: bool) -> Floats:
    """xᵀMx of few rows in float64.

    Args:
        points: `L x D`.
        matrix: `D x D`.
        fixed_order: sum term after term: the same bits whatever the number of threads.
    """
    seen = product(points, matrix, fixed_order=fixed_order)
    exact: Floats = np.einsum("ne,ne->n", seen, points)
    return exact


def product(left: Floats, right: Floats, *, fixed_order: bool) -> Floats:
    """A matrix product in float64, in a fixed order of summation or fast."""
    if not fixed_order:
        return left @ right
    slow: Floats = np.einsum("nd,de->ne", left, right)
    return slow
