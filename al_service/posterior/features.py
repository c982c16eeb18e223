"""Features of objects: what a head needs, cached between full runs."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from al_service.models.network import Network
from al_service.survey.inputs import Inputs, Rows

CHUNK_ROWS: Final = 4096
"""Objects encoded at a time: activations stay within some tens of megabytes."""


@dataclass(frozen=True)
class Features:
    """Fused features and noise of `N` objects."""

    phi: NDArray[np.float32]
    """`N x D`, whitened."""
    noise: NDArray[np.float32]
    """`N x T` variances s² of a label, latent units squared."""
    patterns: NDArray[np.int64]
    """`N` unions of `Modality`."""
    scan: NDArray[np.float32] | None = None
    """`N x 2`: log(1 + z) of a redshift scan and its variance, NaN where there is
    none; None where no object has a spectrum."""

    def __len__(self) -> int:
        return len(self.phi)

    def take(self, rows: Rows) -> Self:
        """The objects of some rows, in their order."""
        return type(self)(**{name: part[rows] for name, part in self.arrays().items()})

    def arrays(self) -> dict[str, NDArray[Any]]:  # Any: of several types
        """The parts that exist by name, to be stored."""
        return {
            field.name: part
            for field in fields(self)
            for part in [getattr(self, field.name)]
            if part is not None
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:  # Any: as above
        """What `arrays` gave."""
        names = [field.name for field in fields(cls)]
        return cls(**{name: arrays[name] for name in names if name in arrays})


def extract(network: Network, inputs: Inputs) -> Features:
    """Features of objects under a trained network.

    Args:
        network: the network.
        inputs: `N` objects.
    """
    n = len(inputs)
    phi = np.empty((n, network.dim), dtype=np.float32)
    noise = np.empty((n, len(network.targets)), dtype=np.float32)
    for start in range(0, n, CHUNK_ROWS):
        rows = slice(start, start + CHUNK_ROWS)
        phi[rows], noise[rows] = network.encode(inputs.take(rows))
    return Features(phi, noise, inputs.patterns)
