"""Measurements become what the comparison's networks read."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from al_service.features.preparation import COLUMNS_OF, PIXELS_OF, SPECTRUM
from al_service.features.scaling import Scaler
from al_service.models.config import ModelConfig
from al_service.models.network import scaled_tensors
from al_service.models.streams import Reading
from al_service.posterior.label_tensors import gather, scaled
from al_service.studies.experiment.columns import ColumnScale
from al_service.studies.experiment.measurements import Measurements

EARLY: Final = "early"
"""Name of the one stream into which all columns go side by side."""

_CHUNK: Final = 256
"""Objects whose pixels are prepared at a time."""

Tensors = tuple[dict[str, Tensor], dict[str, Tensor]]


@dataclass(frozen=True)
class StreamReader:
    """Columns on their scale and pixels, by name."""

    inputs: tuple[str, ...]
    readings: dict[str, Reading]
    scalers: dict[str, Scaler]
    early: ColumnScale | None = None
    """Of all columns at once, where they are joined before the network."""

    @property
    def n_columns(self) -> dict[str, int]:
        """Stream to the number of its columns."""
        if self.early is not None:
            return {EARLY: self.early.width}
        return {
            name: len(self.scalers[COLUMNS_OF[name]].center) for name in self.inputs
        }

    @classmethod
    def fit(
        cls,
        measurements: Measurements,
        inputs: tuple[str, ...],
        readings: dict[str, Reading],
    ) -> tuple["StreamReader", Tensors]:
        """Learn scales from training objects.

        Returns:
            The reader, and what it makes of them: pixels in half precision.
        """
        if EARLY in readings:
            early = ColumnScale.fit(measurements, inputs)
            reader = cls(inputs, readings, {}, early)
            return reader, reader.tensors(measurements)
        config = ModelConfig.model_validate({"modalities": inputs})
        gathered = gather(measurements.inputs, config)
        scalers, columns = scaled(gathered)
        present = {
            name: torch.from_numpy(flags) for name, flags in gathered.present.items()
        }
        reader = cls(inputs, readings, scalers)
        return reader, (reader.wanted(columns), present)

    def tensors(self, measurements: Measurements) -> Tensors:
        """What the network reads of some objects."""
        if self.early is not None:
            columns = torch.from_numpy(self.early.transform(measurements)).float()
            return {EARLY: columns}, {EARLY: torch.ones(len(columns), dtype=torch.bool)}
        columns_of, present = scaled_tensors(self.scalers, measurements.inputs)
        return self.wanted(columns_of), present

    def blind(self, read: Tensors) -> Tensors:
        """The same objects as if nobody had seen their spectra."""
        columns, present = read
        if self.early is not None:
            hidden = columns[EARLY].clone()
            hidden[:, self.early.place(SPECTRUM)] = 0.0
            return {EARLY: hidden}, present
        nobody = torch.zeros_like(present[SPECTRUM])
        return columns, {**present, SPECTRUM: nobody}

    def chunks(self, measurements: Measurements) -> Iterator[Tensors]:
        """What the network reads of all objects, some at a time."""
        for start in range(0, len(measurements), _CHUNK):
            yield self.tensors(measurements.take(slice(start, start + _CHUNK)))

    def whole(self, measurements: Measurements) -> Tensors:
        """All objects at once, pixels in half precision."""
        pixels = set(PIXELS_OF.values())
        parts = list(self.chunks(measurements))
        columns = {
            name: torch.cat(
                [
                    part[name].half() if name in pixels else part[name]
                    for part, _ in parts
                ]
            )
            for name in parts[0][0]
        }
        present = {
            name: torch.cat([flags[name] for _, flags in parts]) for name in parts[0][1]
        }
        return columns, present

    def wanted(self, columns: dict[str, Tensor]) -> dict[str, Tensor]:
        """Without pixels that no stream reads."""
        unread = {
            PIXELS_OF[name]
            for name, reading in self.readings.items()
            if reading is Reading.COLUMNS and name in PIXELS_OF
        }
        return {name: part for name, part in columns.items() if name not in unread}

    def arrays(self) -> dict[str, Any]:  # Any: arrays of several types
        """Everything but the names, to be stored."""
        return {
            "scalers": {name: vars(scaler) for name, scaler in self.scalers.items()},
            "early": None if self.early is None else self.early.arrays(),
        }

    @classmethod
    def from_arrays(
        cls,
        inputs: tuple[str, ...],
        readings: dict[str, Reading],
        arrays: dict[str, Any],  # Any: as above
    ) -> "StreamReader":
        """What `arrays` gave."""
        early = arrays["early"]
        return cls(
            inputs,
            readings,
            {name: Scaler(**part) for name, part in arrays["scalers"].items()},
            None if early is None else ColumnScale.from_arrays(inputs, early),
        )


def squared_errors(errors: NDArray[np.float64]) -> Tensor:
    """Variances of labels, 0 where unknown."""
    return torch.from_numpy(np.nan_to_num(errors, nan=0.0) ** 2).float()
