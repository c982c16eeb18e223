"""How likely the best candidate is right, from its lead over the second."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

LEADS: Final = (0.0, 1.0)
RIGHT: Final = (0.0, 1.0)


def lead(best: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the confidence depends on: `N`, larger is surer.

    Args:
        best: `N` scores of the best candidates.
        second: `N` scores of the best ones at another redshift.
    """
    return np.asarray((best - second) / np.sqrt(1.0 + second))


def confidence(
    best: NDArray[np.float64], second: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Probability that the best candidate's redshift is right, `N`.

    Args:
        best: `N` scores of the best candidates, 0 where there is none.
        second: `N` scores of the best ones at another redshift.
    """
    return np.asarray(np.interp(lead(best, second), LEADS, RIGHT))
