"""A pool of millions is represented by some of its rows."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

WHITENING_SAMPLE: Final = 20_000
"""Unlabeled objects that set a scale: enough for a covariance of D = 256."""


def evenly(rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """At most `most` of the rows, evenly spaced, in their order."""
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]
