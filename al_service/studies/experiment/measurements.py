"""What a system may look at."""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from al_service.survey.inputs import Inputs, Modality, Rows


@dataclass(frozen=True)
class Measurements:
    """`N` objects as they were observed."""

    inputs: Inputs
    latents: NDArray[np.float64] | None = None
    """`N x K` numbers from which a simulator made the objects, free of noise: only the
    ceiling may look at them. None for real skies."""

    def __len__(self) -> int:
        return len(self.inputs)

    def take(self, rows: Rows) -> Self:
        """The objects of some rows, in their order."""
        latents = None if self.latents is None else self.latents[rows]
        return replace(self, inputs=self.inputs.take(rows), latents=latents)

    def without(self, *names: str) -> Self:
        """The same objects as if some modalities had never been observed."""
        inputs = self.inputs
        hidden: dict[str, Any] = {  # Any: fields of several types
            f"has_{name}": np.zeros(len(self), dtype=np.bool_)
            for name in names
            if getattr(inputs, f"has_{name}") is not None
        }
        return replace(self, inputs=replace(inputs, **hidden))

    def leaving(self, name: str, rows: Rows) -> Self:
        """The same objects as if a modality of some had never been observed."""
        flags = self.has(name).copy()
        flags[rows] = False
        hidden: dict[str, Any] = {f"has_{name}": flags}  # Any: as above
        return replace(self, inputs=replace(self.inputs, **hidden))

    def has(self, name: str) -> NDArray[np.bool_]:
        """`N` flags: which objects have a modality."""
        flags: NDArray[np.bool_] | None = getattr(self.inputs, f"has_{name}")
        return np.zeros(len(self), dtype=np.bool_) if flags is None else flags

    def patterns(self, names: tuple[str, ...]) -> NDArray[np.int64]:
        """`N` unions of `Modality` out of some: what a system knows of each object."""
        pattern = np.zeros(len(self), dtype=np.int64)
        for modality in Modality:
            name = str(modality.name).lower()
            if name in names:
                pattern += np.where(self.has(name), int(modality), 0)
        return pattern
