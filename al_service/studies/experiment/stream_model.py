"""A trained network of the comparison, and what is known of its weights."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from al_service.features.scanned_redshift import believed_redshifts
from al_service.models.consistent_dropout import draw_masks, settle_masks
from al_service.models.streams import (
    Joining,
    Reading,
    Said,
    StreamNetwork,
    StreamShape,
)
from al_service.posterior.predictions import Predictions
from al_service.posterior.stream_data import StreamData
from al_service.posterior.variational import WeightGuide, passed_with
from al_service.studies.experiment.measurements import Measurements
from al_service.studies.experiment.storing import (
    read_estimators,
    read_facts,
    read_tensors,
    write_estimators,
    write_facts,
    write_tensors,
)
from al_service.studies.experiment.stream_reading import StreamReader, Tensors
from al_service.survey.inputs import Modality
from al_service.survey.targets import Target

Floats = NDArray[np.float64]


class Uncertainty(StrEnum):
    """What is known of the weights."""

    POINT = "point"  # nothing: one network
    ENSEMBLE = "ensemble"  # several networks from other starts
    DROPOUT = "dropout"  # networks with parts left out (Gal & Ghahramani 2016)
    LAPLACE = "laplace"  # the last layer's curvature
    VARIATIONAL = "variational"  # a Gaussian per weight


@dataclass(frozen=True)
class Moments:
    """What is said of `N` objects, labels of unit spread."""

    mean: Floats
    """`N x T`."""
    epistemic: Floats
    """`N x T` variances owed to the weights."""
    noise: Floats
    """`N x T` variances of the labels."""
    features: NDArray[np.float32]
    """`N x D`."""


@dataclass(frozen=True)
class FittedStreams:
    """One network or several, their scales, and what is known of their weights."""

    targets: tuple[str, ...]
    reader: StreamReader
    shape: StreamShape
    center: Floats
    """`T` means of the labels in own space."""
    spread: Floats
    """`T` standard deviations."""
    networks: tuple[StreamNetwork, ...]
    uncertainty: Uncertainty
    reads_scan: bool
    """Whether a redshift that the scan is sure of speaks for z."""
    draws: int
    """Networks that are drawn where a posterior is sampled."""
    noise_scale: Floats
    """`T` factors on all variances, from validation objects."""
    factors: Floats | None = None
    """`T x D x D` of the last layer's covariance, for `LAPLACE`."""
    guide: WeightGuide | None = None
    """For `VARIATIONAL`."""
    trials: list[dict[str, Any]] = field(default_factory=list)  # Any: JSON

    @property
    def n_parameters(self) -> int:
        """Learned numbers of all networks; of a guide, places and widths."""
        weights = sum(w.numel() for net in self.networks for w in net.parameters())
        return weights * (2 if self.guide is not None else 1)

    def predict(self, measurements: Measurements) -> Predictions:
        """Moments back in the targets' own space, the scan where it is believed."""
        moments = self.moments(measurements)
        center = moments.mean * self.spread + self.center
        epistemic = np.sqrt(moments.epistemic * self.noise_scale) * self.spread
        aleatoric = np.sqrt(moments.noise * self.noise_scale) * self.spread
        patterns = measurements.patterns(self.reader.inputs)
        scan = believed_redshifts(measurements.inputs) if self.reads_scan else None
        if scan is not None and Target.Z in self.targets:
            column = self.targets.index(Target.Z)
            known = np.isfinite(scan[:, 0])
            patterns = patterns + np.where(known, int(Modality.REDSHIFT), 0)
            center[known, column] = scan[known, 0]
            epistemic[known, column] = 0.0
            aleatoric[known, column] = np.sqrt(scan[known, 1])
        return Predictions(self.targets, patterns, center, epistemic, aleatoric)

    def features(self, measurements: Measurements) -> NDArray[np.float32] | None:
        """What the head of the first network reads."""
        with torch.no_grad():
            parts = [
                self.networks[0](*read).features.numpy()
                for read in self.reader.chunks(measurements)
            ]
        return np.concatenate(parts)

    def moments(self, measurements: Measurements) -> Moments:
        """Mean and both variances over the networks that there are or are drawn."""
        with torch.no_grad():
            parts = [self._chunk(read) for read in self.reader.chunks(measurements)]
        return Moments(
            *(
                np.concatenate([getattr(part, name) for part in parts])
                for name in ("mean", "epistemic", "noise", "features")
            )
        )

    def _chunk(self, read: Tensors) -> Moments:
        said = list(self._said(read))
        means = torch.stack([one.mean for one in said]).double().numpy()  # S x N x T
        noises = torch.stack([one.log_noise for one in said]).double().exp().numpy()
        epistemic = means.var(axis=0)
        features = said[0].features.numpy()
        if self.factors is not None:
            design = np.column_stack([features, np.ones(len(features))])
            epistemic = np.stack(
                [((design @ factor) ** 2).sum(axis=1) for factor in self.factors],
                axis=1,
            )
        return Moments(means.mean(axis=0), epistemic, noises.mean(axis=0), features)

    def _said(self, read: Tensors) -> Iterator[Said]:
        """What each network says; the same networks for every object."""
        if self.uncertainty is Uncertainty.DROPOUT:
            network, (columns, present) = self.networks[0], read
            seen = network.look(columns, present)
            for draw in range(self.draws):
                draw_masks(network, torch.Generator().manual_seed(draw))
                yield network.join(network.finish(seen, present))
            settle_masks(network)
        elif self.guide is not None:
            for draw in range(self.draws):
                generator = torch.Generator().manual_seed(draw)
                weights = self.guide.draw(generator)
                yield passed_with(self.networks[0], weights, _unlabeled(read))
        else:
            for network in self.networks:
                yield network(*read)

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
                "uncertainty": self.uncertainty.value,
                "reads_scan": self.reads_scan,
                "draws": self.draws,
                "n_networks": len(self.networks),
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
        for number, network in enumerate(self.networks):
            for name, weight in network.state_dict().items():
                parts[f"network.{number}/{name}"] = np.ascontiguousarray(weight.numpy())
        if self.factors is not None:
            parts["factors"] = np.ascontiguousarray(self.factors)
        if self.guide is not None:
            for name, weight in self.guide.location.items():
                parts[f"location/{name}"] = np.ascontiguousarray(weight.numpy())
            for name, weight in self.guide.log_scale.items():
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
        return cls(
            targets,
            reader,
            shape,
            arrays["center"],
            arrays["spread"],
            tuple(
                _network(shape, _under(arrays, f"network.{number}"))
                for number in range(facts["n_networks"])
            ),
            Uncertainty(facts["uncertainty"]),
            facts["reads_scan"],
            facts["draws"],
            arrays["noise_scale"],
            arrays.get("factors"),
            WeightGuide(location, _under(arrays, "log_scale")) if location else None,
        )


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


def _unlabeled(read: Tensors) -> StreamData:
    columns, present = read
    none = torch.empty(0)
    return StreamData(columns, present, none, none, none)
