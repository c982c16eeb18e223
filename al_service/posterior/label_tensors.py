"""Labeled objects become tensors.

Pixels are read some objects at a time and kept in half precision: ten thousand images
fill 400 MB.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from al_service.features.preparation import (
    COLUMNS_OF,
    PHOTOMETRY,
    PIXELS_OF,
    prepare,
    presence,
)
from al_service.features.scaling import Scaler
from al_service.features.scanned_redshift import believed_redshifts
from al_service.models.config import ModelConfig
from al_service.survey.inputs import Inputs, Measured

READ_ROWS: Final = 256
"""Objects with pixels that are read at a time."""

_PIXELS: Final = frozenset(PIXELS_OF.values())

Array = NDArray[Any]  # Any: every number type


@dataclass(frozen=True)
class Gathered:
    """The measurements of `N` labeled objects, not scaled yet."""

    columns: Mapping[str, Array]
    """Columns and pixels by name, `N x ...`."""
    present: Mapping[str, NDArray[np.bool_]]
    """Modality to `N` flags."""
    scanned: NDArray[np.bool_]
    """`N` flags: a redshift scan speaks for z."""


@dataclass(frozen=True)
class LabelTensors:
    """`N` labeled objects, latents of unit spread."""

    columns: Mapping[str, Tensor]
    """Scaled columns `N x F` and pixels `N x ...` by name."""
    present: Mapping[str, Tensor]
    """Modality to `N` flags."""
    scanned: Tensor
    """`N` flags: a redshift scan speaks for z."""
    values: Tensor
    """`N x T`."""
    error_variance: Tensor
    """`N x T`."""
    observed: Tensor
    """`N x T` flags."""
    weights: Tensor
    """`N`."""

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: Tensor | slice) -> "LabelTensors":
        """Some of the objects, pixels in single precision."""
        return LabelTensors(
            {name: _single(part[rows]) for name, part in self.columns.items()},
            {name: part[rows] for name, part in self.present.items()},
            *(
                part[rows]
                for part in (
                    self.scanned,
                    self.values,
                    self.error_variance,
                    self.observed,
                    self.weights,
                )
            ),
        )

    def parts(self, size: int) -> Iterator["LabelTensors"]:
        """All objects in order, at most `size` at a time."""
        for start in range(0, len(self), size):
            yield self.take(slice(start, start + size))


def gather(measured: Measured, config: ModelConfig) -> Gathered:
    """Read and prepare what the network may look at.

    Args:
        measured: `N` labeled objects.
        config: says which modalities are allowed.

    Returns:
        Of the allowed modalities those that at least one of the objects has;
        photometry where that would leave none.
    """
    few = measured.take(slice(0, min(READ_ROWS, len(measured))))
    if not _has_pixels(few):
        whole = measured.take(slice(0, len(measured)))
        return _chosen([_gather_some(whole, config)])
    steps = range(0, len(measured), READ_ROWS)
    return _chosen(
        [
            _gather_some(
                measured.take(slice(start, min(start + READ_ROWS, len(measured)))),
                config,
            )
            for start in steps
        ]
    )


def scaled(gathered: Gathered) -> tuple[dict[str, Scaler], dict[str, Tensor]]:
    """Scales of the columns, learned from these rows, and the tensors on them."""
    scalers = {
        name: Scaler.fit(part)
        for name, part in gathered.columns.items()
        if name not in _PIXELS
    }
    tensors = {
        name: torch.from_numpy(
            scalers[name].transform(part) if name in scalers else part
        )
        for name, part in gathered.columns.items()
    }
    return scalers, tensors


def _has_pixels(inputs: Inputs) -> bool:
    return inputs.has_image is not None or inputs.has_spectrum is not None


def _gather_some(inputs: Inputs, config: ModelConfig) -> Gathered:
    allowed = set(COLUMNS_OF if config.modalities is None else config.modalities)
    prepared = prepare(inputs, allowed | {PHOTOMETRY})
    scan = believed_redshifts(inputs)
    return Gathered(
        {
            name: part.astype(np.float16) if name in _PIXELS else part
            for name, part in prepared.items()
        },
        {
            name: np.array(presence(inputs, name)) & (name in allowed)
            for name in COLUMNS_OF
        },
        np.zeros(len(inputs), dtype=np.bool_)
        if scan is None or "spectrum" not in allowed
        else np.isfinite(scan[:, 0]),
    )


def _chosen(some: list[Gathered]) -> Gathered:
    """Everything in one, without modalities that no object has."""
    present = {
        name: np.concatenate([one.present[name] for one in some]) for name in COLUMNS_OF
    }
    kept = {name for name, flags in present.items() if flags.any()} or {PHOTOMETRY}
    names = {COLUMNS_OF[name] for name in kept}
    names |= {PIXELS_OF[name] for name in kept if name in PIXELS_OF}
    return Gathered(
        {name: _joined([one.columns for one in some], name) for name in sorted(names)},
        {name: flags for name, flags in present.items() if name in kept},
        np.concatenate([one.scanned for one in some]),
    )


def _joined(parts: Collection[Mapping[str, Array]], name: str) -> Array:
    return np.concatenate([part[name] for part in parts])


def _single(part: Tensor) -> Tensor:
    return part.float() if part.dtype == torch.float16 else part
