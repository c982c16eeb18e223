"""Gradient blending: a head on every stream, heard as much as it generalizes."""

from typing import Final

import torch
from torch import Tensor

from al_service.models.balance import FUSED, Losses, ModalityHeads, blending_weights
from al_service.models.streams import Said, StreamNetwork
from al_service.posterior.stream_data import CHUNK_ROWS, StreamData

_LOOKS: Final = 8
"""How often the heads are weighed anew in one training."""


class Blending:
    """Weights of the fused head and of one of each modality (Wang et al. 2020)."""

    def __init__(
        self,
        network: StreamNetwork,
        heads: ModalityHeads,
        sides: tuple[StreamData, StreamData],
        steps: int,
    ) -> None:
        """Watch some objects of both sides, training and validation."""
        self._network, self._heads = network, heads
        self._every = max(steps // _LOOKS, 1)
        self._watched = [side.take(slice(0, CHUNK_ROWS)) for side in sides]
        self._before: dict[str, Losses] | None = None
        names = (FUSED, *network.names)
        self.weights = dict.fromkeys(names, 1.0 / len(names))

    def look(self, step: int) -> None:
        """Weigh the heads anew if it is time for that."""
        if step % self._every:
            return
        now = self.losses()
        if self._before is not None:
            self.weights = blending_weights(self._before, now)
        self._before = now

    def blended(self, fused: Tensor, said: Said, data: StreamData) -> Tensor:
        """The loss of one batch.

        Args:
            fused: loss of the fused head.
            said: by the network.
            data: the objects, some modalities maybe hidden.
        """
        losses = {**self._squared(said, data), FUSED: fused}
        parts = [self.weights[name] * loss for name, loss in losses.items()]
        return torch.stack(parts).sum()

    @torch.no_grad()
    def losses(self) -> dict[str, Losses]:
        """Of all heads on one scale: their gains are compared."""
        self._network.eval()
        training, validation = (
            self._squared(self._network(data.columns, data.present), data)
            for data in self._watched
        )
        self._network.train()
        return {
            name: Losses(float(training[name]), float(validation[name]))
            for name in training
        }

    def _squared(self, said: Said, data: StreamData) -> dict[str, Tensor]:
        """Head to half its mean squared error, on objects that have its modality."""
        found = {}
        for name, mean in {FUSED: said.mean, **self._heads(said.parts)}.items():
            present = data.present.get(name)
            counted = data.known if present is None else data.known & present[:, None]
            squared = 0.5 * (data.values - mean) ** 2 * counted
            found[name] = squared.sum() / counted.sum().clamp(min=1)
        return found
