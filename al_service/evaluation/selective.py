"""What is gained by believing only the most certain predictions."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.errors import InvalidInput

Floats = NDArray[np.float64]

KEPT_SHARE: Final = 0.9
"""Share at which the rate of catastrophes is reported: Bayesian SZNet drops the most
uncertain tenth of its quasars and with it two thirds of the catastrophes."""


@dataclass(frozen=True)
class SelectiveCurve:
    """Mean loss of the most certain objects, against how many are kept."""

    kept: Floats
    """`N` shares, ascending, up to 1."""
    risk: Floats
    """`N` mean losses of the objects that are kept."""

    @property
    def area(self) -> float:
        """AURC: the mean risk over all kept shares (Geifman et al. 2019)."""
        return float(np.mean(self.risk))

    def at(self, share: float) -> float:
        """The risk where this share of the objects is kept, at least one."""
        place = max(1, round(share * len(self.kept))) - 1
        return float(self.risk[place])


def selective_curve(loss: Floats, uncertainty: Floats) -> SelectiveCurve:
    """Drop the most uncertain objects, one after the other.

    Args:
        loss: `N` losses, finite: squared errors, or 1 for a catastrophe.
        uncertainty: `N`, any unit; larger is dropped earlier.

    Returns:
        The curve. Equally uncertain objects share their mean loss, so that their
        order does not matter.
    """
    if loss.shape != uncertainty.shape or loss.ndim != 1 or len(loss) == 0:
        raise InvalidInput(
            "expected one loss and one uncertainty per object and at least one object, "
            f"got shapes {loss.shape} and {uncertainty.shape}"
        )
    _, member, counts = np.unique(uncertainty, return_inverse=True, return_counts=True)
    shared = np.bincount(member, weights=loss) / counts
    ordered = np.repeat(shared, counts)
    places = np.arange(1, len(loss) + 1)
    return SelectiveCurve(places / len(loss), np.cumsum(ordered) / places)
