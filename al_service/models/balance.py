"""Keeping one modality from crowding out another.

A network that is trained on two modalities together stops learning from the slower one
as soon as the faster one explains the labels (Wu et al. 2022, arXiv:2202.05306).
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import torch
from torch import Tensor, nn

from al_service.models.streams import StreamNetwork

FUSED: Final = "fused"
"""Name of the head that sees all modalities."""

_LEAST_OVERFIT: Final = 1e-3
"""Growth of the gap between losses that counts as none, in nats."""


class Balance(StrEnum):
    """What is done about it."""

    NONE = "none"  # trained as it is
    GRADIENT_BLENDING = "gradient_blending"  # heads of their own, weighted by gain
    GREEDY_REBALANCING = "greedy_rebalancing"  # steps without the faster modality


@dataclass(frozen=True)
class Losses:
    """Mean losses of one head."""

    training: float
    validation: float


def blending_weights(
    before: Mapping[str, Losses], now: Mapping[str, Losses]
) -> dict[str, float]:
    """Weights of the heads' losses, which sum up to 1 (Wang et al. 2020, 1905.12681).

    w is proportional to G / O²: what the head has gained on validation objects since
    the last look, over the squared growth of its gap to training objects. A head that
    has gained nothing keeps a hundredth of the largest weight, or it could never be
    heard again.

    Args:
        before: head to its losses at the last look.
        now: likewise now.
    """
    raw = {}
    for name, later in now.items():
        earlier = before[name]
        gained = max(earlier.validation - later.validation, 0.0)
        gap = (later.validation - later.training) - (
            earlier.validation - earlier.training
        )
        raw[name] = gained / max(abs(gap), _LEAST_OVERFIT) ** 2
    largest = max(raw.values())
    if largest == 0.0:
        return dict.fromkeys(raw, 1.0 / len(raw))
    floored = {name: max(weight, 0.01 * largest) for name, weight in raw.items()}
    total = sum(floored.values())
    return {name: weight / total for name, weight in floored.items()}


class ModalityHeads(nn.Module):
    """A linear head on every stream, for losses of their own."""

    def __init__(self, names: tuple[str, ...], width: int, n_targets: int) -> None:
        super().__init__()
        self.heads = nn.ModuleDict(
            {name: nn.Linear(width, n_targets) for name in names}
        )

    def forward(self, parts: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Modality to `N x T` means."""
        return {name: head(parts[name]) for name, head in self.heads.items()}


REBALANCE_FROM: Final = 0.01
"""Difference of the speeds' logarithms beyond which a modality is helped (their code's
default)."""

REBALANCE_STEPS: Final = 5
"""Steps of help in a row."""

_MEAN_DECAY: Final = 0.9


@dataclass
class LearningSpeeds:
    """How fast streams and what reads them have been moving, and whom to help.

    Conditional learning speed of a stream's rivals: squared gradients relative to
    squared weights, summed over the usual steps so far, of what reads the others over
    the stream itself (their `Bias_Mitigation_Strong`). A stream beside which the others
    are read faster than it learns is being crowded out.
    """

    network: StreamNetwork
    stream: dict[str, float] = field(default_factory=dict)
    reading: dict[str, float] = field(default_factory=dict)
    mean_parts: dict[str, Tensor] = field(default_factory=dict)
    """Modality to the running mean of its stream, `1 x F`."""
    helping: str | None = None
    left: int = 0
    helps_from: int = 0
    """Steps before the first help (two epochs in their code)."""
    helps_until: float = math.inf
    """Steps after which there is none: where streams meet in one layer, a step of help
    teaches it to read one as if the other said nothing, and both together count twice
    until it has seen both for long enough."""
    steps: int = 0

    @torch.no_grad()
    def note(self, parts: Mapping[str, Tensor]) -> None:
        """Take this step in; call between backward and step.

        Gradients of a step of help do not count: what it has frozen has none.
        """
        self.steps += 1
        for name, part in parts.items():
            mean = part.mean(dim=0, keepdim=True)
            old = self.mean_parts.get(name, mean)
            self.mean_parts[name] = torch.lerp(mean, old, _MEAN_DECAY)
        if self.helping is None:
            self._note_speeds()

    def _note_speeds(self) -> None:
        first = next(iter(self.network.trunk.parameters()))
        width = self.network.shape.width
        for place, name in enumerate(self.network.names):
            own = _speed(
                (weight, weight.grad)
                for weight in self.network.streams[name].parameters()
            )
            columns = slice(place * width, (place + 1) * width)
            gradient = first.grad
            read = _speed(
                [
                    (
                        first[:, columns],
                        None if gradient is None else gradient[:, columns],
                    )
                ]
            )
            self.stream[name] = self.stream.get(name, 0.0) + own
            self.reading[name] = self.reading.get(name, 0.0) + read

    def choose(self) -> str | None:
        """The modality that the next step teaches alone; None for a usual step.

        A round of help is followed by one usual step.
        """
        if self.left > 0 and self.steps < self.helps_until:
            self.left -= 1
            return self.helping
        if self.helping is not None:
            self.helping = None
            return None
        if not self.helps_from <= self.steps < self.helps_until:
            return None
        crowded = {name: self._crowded(name) for name in self.stream}
        most = max(crowded, key=lambda name: crowded[name])
        if crowded[most] - min(crowded.values()) <= REBALANCE_FROM:
            return None
        self.helping, self.left = most, REBALANCE_STEPS - 1
        return most

    def _crowded(self, name: str) -> float:
        """Logarithm of how much faster the others are read than this stream learns."""
        others = sum(one for other, one in self.reading.items() if other != name)
        return math.log10((others + 1e-30) / (self.stream[name] + 1e-30))

    def alone(self, parts: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
        """Streams of which all but one are frozen at their running means."""
        return {
            other: part
            if other == name
            else self.mean_parts[other].expand_as(part).detach()
            for other, part in parts.items()
        }


def _speed(weights: Iterable[tuple[Tensor, Tensor | None]]) -> float:
    """Squared gradients of some weights over their squares, all of them together."""
    pairs = list(weights)
    size = sum(float((weight**2).sum()) for weight, _ in pairs)
    moved = sum(
        float((gradient**2).sum()) for _, gradient in pairs if gradient is not None
    )
    return moved / size if size > 0 else 0.0
