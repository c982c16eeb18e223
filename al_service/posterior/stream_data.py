"""Labeled objects as the comparison's networks take them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from torch import Tensor

CHUNK_ROWS: Final = 256
"""Objects that pass a network at a time where nothing is learned."""


@dataclass(frozen=True)
class StreamData:
    """`N` labeled objects, labels of zero mean and unit spread."""

    columns: Mapping[str, Tensor]
    """Scaled columns and pixels by name, pixels maybe in half precision."""
    present: Mapping[str, Tensor]
    """Modality to `N` flags."""
    values: Tensor
    """`N x T`, anything where not known."""
    known: Tensor
    """`N x T` flags."""
    error_variance: Tensor
    """`N x T` of the labels themselves."""

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: Tensor | slice) -> "StreamData":
        """Some of the objects, everything in single precision."""
        return StreamData(
            {name: part[rows].float() for name, part in self.columns.items()},
            {name: part[rows] for name, part in self.present.items()},
            self.values[rows],
            self.known[rows],
            self.error_variance[rows],
        )

    def parts(self) -> Iterator["StreamData"]:
        """All objects in order, some at a time."""
        for start in range(0, len(self), CHUNK_ROWS):
            yield self.take(slice(start, start + CHUNK_ROWS))
