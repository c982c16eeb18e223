"""Objects whose pixels were prepared before: whoever looks at them again need not wait.

Stretching images and measuring lines takes longer than many a network's pass. Where
dozens of models look at the same objects, that is done once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from numpy.typing import NDArray

from al_service.survey.inputs import Inputs, Rows


@dataclass(frozen=True)
class PreparedInputs(Inputs):
    """`N` objects with what `features/preparation.py` made of them.

    Images and spectra themselves may be None: nothing reads them. Flags count as ever,
    so that a modality can still be hidden.
    """

    parts: Mapping[str, NDArray[Any]] = field(default_factory=dict)  # Any: float types
    """Columns `N x F` and pixels `N x ...` by name, pixels in half precision."""

    def take(self, rows: Rows) -> Self:
        """The objects of some rows, in their order."""
        taken: dict[str, Any] = {  # Any: arrays of every modality
            one.name: None if part is None else part[rows]
            for one in fields(Inputs)
            for part in [getattr(self, one.name)]
        }
        parts = {name: part[rows] for name, part in self.parts.items()}
        return type(self)(**taken, parts=parts)
