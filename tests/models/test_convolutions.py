"""Pixels on their way into the convolutions."""

import torch
from torch import nn

from al_service.models.convolutions import IMAGE_STEM, Patches


def test_patches_are_those_of_torch_and_lie_channels_last() -> None:
    pixels = torch.randn(3, 5, 64, 64)

    patches = Patches(IMAGE_STEM)(pixels)

    assert torch.equal(patches, nn.PixelUnshuffle(IMAGE_STEM)(pixels))
    assert patches.is_contiguous(memory_format=torch.channels_last)
