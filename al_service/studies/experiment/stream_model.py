"""A trained system of the comparison: networks, scales, and the scan beside them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from al_service.features.preparation import SPECTRUM
from al_service.features.scanned_redshift import believed_redshifts
from al_service.models.streams import Joining, Reading, StreamNetwork, StreamShape
from al_service.posterior.predictions import Predictions
from al_service.posterior.variational import WeightGuide
from al_service.studies.experiment.measurements import Measurements
from al_service.studies.experiment.second_opinion import contradicted
from al_service.studies.experiment.storing import (
    read_estimators,
    read_facts,
    read_tensors,
    write_estimators,
    write_facts,
    write_tensors,
)
from al_service.studies.experiment.stream_moments import (
    Moments,
    Networks,
    Uncertainty,
)
from al_service.studies.experiment.stream_reading import StreamReader
from al_service.survey.inputs import Modality
from al_service.survey.targets import Target

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FittedStreams:
    """Networks and their scales."""

    targets: tuple[str, ...]
    reader: StreamReader
    shape: StreamShape
    center: Floats
    """`T` means of the labels in own space."""
    spread: Floats
    """`T` standard deviations."""
    networks: Networks
    reads_scan: bool
    """Whether a redshift that the scan is sure of speaks for z."""
    doubts_scan: bool
    """Whether it is asked what z is without the spectrum, and the spectrum left out
    where both contradict each other: training objects without one have taught that."""
    noise_scale: Floats
    """`T` factors on all variances, from validation objects."""
    trials: list[dict[str, Any]] = field(default_factory=list)  # Any: JSON

    @property
    def n_parameters(self) -> int:
        """Learned numbers of all networks; of a guide, places and widths."""
        return self.networks.n_parameters

    def predict(self, measurements: Measurements) -> Predictions:
        """Moments back in the targets' own space, the scan where it is believed."""
        moments = self._moments(measurements)
        wrong = self._doubted(measurements, moments)
        if len(wrong) > 0:
            measurements = measurements.leaving(SPECTRUM, wrong)
            _replace(moments, wrong, self._moments(measurements.take(wrong)))
        center = moments.mean * self.spread + self.center
        epistemic = np.sqrt(moments.epistemic * self.noise_scale) * self.spread
        aleatoric = np.sqrt(moments.noise * self.noise_scale) * self.spread
        patterns = measurements.patterns(self.reader.inputs)
        scan = self._scan(measurements)
        if scan is not None:
            column = self.targets.index(Target.Z)
            known = np.isfinite(scan[:, 0])
            patterns = patterns + np.where(known, int(Modality.REDSHIFT), 0)
            center[known, column] = scan[known, 0]
            epistemic[known, column] = 0.0
            aleatoric[known, column] = np.sqrt(scan[known, 1])
        return Predictions(self.targets, patterns, center, epistemic, aleatoric)

    def features(self, measurements: Measurements) -> NDArray[np.float32] | None:
        """What the head of the first network reads."""
        chunks = self.reader.chunks(measurements)
        return np.concatenate([self.networks.features(read) for read in chunks])

    def _scan(self, measurements: Measurements) -> Floats | None:
        if not self.reads_scan or Target.Z not in self.targets:
            return None
        return believed_redshifts(measurements.inputs)

    def _moments(self, measurements: Measurements) -> Moments:
        parts = [
            self.networks.moments(
                read, self.reader.blind(read) if self.doubts_scan else None
            )
            for read in self.reader.chunks(measurements)
        ]
        return Moments(
            **{
                name: np.concatenate([getattr(part, name) for part in parts])
                for name in vars(parts[0])
            }
        )

    def _doubted(
        self, measurements: Measurements, moments: Moments
    ) -> NDArray[np.int64]:
        """Rows whose scan is believed and contradicts everything else."""
        if not self.doubts_scan or Target.Z not in self.targets:
            return np.empty(0, dtype=np.int64)
        column = self.targets.index(Target.Z)
        spread = self.spread[column]
        noise = moments.blind_noise[:, column] * self.noise_scale[column]
        return contradicted(
            measurements,
            moments.blind_mean[:, column] * spread + self.center[column],
            noise * spread**2,
        )

    def save(self, folder: Path) -> None:
        """Write networks, scales, and what is known of the weights."""
        shape = self.shape
        write_facts(
            folder,
            {
                "targets": self.targets,
                "inputs": self.reader.inputs,
                "readings": {k: v.value for k, v in self.reader.readings.items()},
                "n_columns": dict(shape.n_columns),
                "joining": shape.joining.value,
                "width": shape.width,
                "dropout": shape.dropout,
                "uncertainty": self.networks.uncertainty.value,
                "reads_scan": self.reads_scan,
                "doubts_scan": self.doubts_scan,
                "draws": self.networks.draws,
                "n_networks": len(self.networks.each),
            },
        )
        write_estimators(folder, self.reader.arrays())
        write_tensors(folder, self._tensors())

    def _tensors(self) -> dict[str, NDArray[Any]]:  # Any: of several types
        parts: dict[str, NDArray[Any]] = {
            "center": self.center,
            "spread": self.spread,
            "noise_scale": self.noise_scale,
        }
        for number, network in enumerate(self.networks.each):
            for name, weight in network.state_dict().items():
                parts[f"network.{number}/{name}"] = np.ascontiguousarray(weight.numpy())
        if self.networks.factors is not None:
            parts["factors"] = np.ascontiguousarray(self.networks.factors)
        if self.networks.guide is not None:
            for name, weight in self.networks.guide.location.items():
                parts[f"location/{name}"] = np.ascontiguousarray(weight.numpy())
            for name, weight in self.networks.guide.log_scale.items():
                parts[f"log_scale/{name}"] = np.ascontiguousarray(weight.numpy())
        return parts

    @classmethod
    def load(cls, folder: Path) -> "FittedStreams":
        """What `save` wrote."""
        facts, arrays = read_facts(folder), read_tensors(folder)
        inputs = tuple(facts["inputs"])
        readings = {name: Reading(one) for name, one in facts["readings"].items()}
        reader = StreamReader.from_arrays(inputs, readings, read_estimators(folder))
        targets = tuple(facts["targets"])
        shape = StreamShape(
            readings,
            facts["n_columns"],
            len(targets),
            Joining(facts["joining"]),
            facts["width"],
            facts["dropout"],
        )
        location = _under(arrays, "location")
        networks = Networks(
            tuple(
                _network(shape, _under(arrays, f"network.{number}"))
                for number in range(facts["n_networks"])
            ),
            Uncertainty(facts["uncertainty"]),
            facts["draws"],
            arrays.get("factors"),
            WeightGuide(location, _under(arrays, "log_scale")) if location else None,
        )
        return cls(
            targets,
            reader,
            shape,
            arrays["center"],
            arrays["spread"],
            networks,
            facts["reads_scan"],
            facts["doubts_scan"],
            arrays["noise_scale"],
        )


def _replace(moments: Moments, rows: NDArray[np.int64], others: Moments) -> None:
    """Write what is said of some objects into what is said of all."""
    for name, part in vars(others).items():
        getattr(moments, name)[rows] = part


def _network(shape: StreamShape, weights: dict[str, Tensor]) -> StreamNetwork:
    network = StreamNetwork(shape)
    network.load_state_dict(weights)
    network.requires_grad_(requires_grad=False).eval()
    return network


def _under(arrays: dict[str, NDArray[Any]], part: str) -> dict[str, Tensor]:
    prefix = f"{part}/"
    return {
        name.removeprefix(prefix): torch.from_numpy(array)
        for name, array in arrays.items()
        if name.startswith(prefix)
    }
