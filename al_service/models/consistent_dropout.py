"""Dropout whose draws are networks: one mask per draw, the same for every object.

With a mask of its own for every object, draws of two objects have nothing in common,
and differences between them look more certain or less than they are.
"""

import torch
from torch import Tensor, nn


class ConsistentDropout(nn.Module):
    """Sets features to zero: per object while training, per draw while drawing."""

    def __init__(self, width: int, rate: float) -> None:
        super().__init__()
        self.width = width
        self.rate = rate
        self._mask: Tensor | None = None

    def forward(self, features: Tensor) -> Tensor:
        """`N x F` features, those that remain scaled up to keep the mean."""
        if self._mask is not None:
            return features * self._mask
        if self.training:
            return nn.functional.dropout(features, self.rate)
        return features

    def draw(self, generator: torch.Generator) -> None:
        """Fix a mask until the next draw."""
        kept = torch.rand(self.width, generator=generator) >= self.rate
        self._mask = kept.float() / (1.0 - self.rate)

    def settle(self) -> None:
        """No mask any more: the mean of all networks."""
        self._mask = None


def draw_masks(network: nn.Module, generator: torch.Generator) -> None:
    """One network out of all that a network with dropout stands for."""
    for module in network.modules():
        if isinstance(module, ConsistentDropout):
            module.draw(generator)


def settle_masks(network: nn.Module) -> None:
    """Back to the mean network."""
    for module in network.modules():
        if isinstance(module, ConsistentDropout):
            module.settle()
