"""What the user wants to know about: weights over ranges of targets."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator
from scipy.special import ndtr

from al_service.errors import InvalidInput
from al_service.survey.targets import Target

LARGEST_WEIGHT: Final = 1e6
"""More than the objects of any test: beyond it nothing else matters at all."""


class Interest(BaseModel):
    """One declaration: objects in a range of a target matter this much more."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    target: Target

    low: float | None = Field(default=None, allow_inf_nan=False)
    """Lower end in the target's unit; None: no end."""

    high: float | None = Field(default=None, allow_inf_nan=False)
    """Upper end."""

    weight: float = Field(ge=0, le=LARGEST_WEIGHT)
    """Relative to objects outside: 2 is twice as important, 0 not at all."""

    @model_validator(mode="after")
    def _is_a_range(self) -> "Interest":
        low = -np.inf if self.low is None else self.low
        high = np.inf if self.high is None else self.high
        if not low < high:
            raise ValueError(f"expected low < high, found {self.low} and {self.high}")
        return self


def interest_weights(
    targets: Sequence[str],
    mean: NDArray[np.float64],
    deviation: NDArray[np.float64],
    declared: Sequence[Interest],
) -> NDArray[np.float64]:
    """How much objects matter whose targets are known by prediction only.

    Args:
        targets: names of the `T` targets.
        mean: `N x T` predictions in the targets' units.
        deviation: `N x T` their standard deviations, positive; 0 where the value is
            known.
        declared: what matters; the weights of several declarations multiply.

    Returns:
        `N` expected weights.
    """
    weights = np.ones(len(mean))
    for one in declared:
        if one.target.value not in targets:
            raise InvalidInput(
                f"interest: expected one of {', '.join(targets)}, found {one.target}"
            )
        column = list(targets).index(one.target.value)
        inside = _share(mean[:, column], deviation[:, column], one)
        weights *= 1.0 + (one.weight - 1.0) * inside
    return weights


def _share(
    mean: NDArray[np.float64], deviation: NDArray[np.float64], declared: Interest
) -> NDArray[np.float64]:
    """Probability of lying in the range, Gaussian."""
    unit = np.maximum(deviation, np.finfo(np.float64).tiny)
    low = -np.inf if declared.low is None else declared.low
    high = np.inf if declared.high is None else declared.high
    with np.errstate(over="ignore"):
        share: NDArray[np.float64] = ndtr((high - mean) / unit) - ndtr(
            (low - mean) / unit
        )
    return share
