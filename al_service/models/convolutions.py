"""Pixels of images and spectra become embeddings.

The convolutions serve all members of the network at once: four of them would cost four
times as much and learn the same edges and lines. What differs between members begins
behind the embedding. Memory lies channels-last, which processors convolve fastest.
"""

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from al_service.survey.photometry_columns import BANDS
from al_service.survey.spectra.grid import N_PIXELS

IMAGE_STEM: Final = 4
"""Pixels along a side that the first layer takes together: 1.6 arcsec, one seeing."""

SPECTRUM_STEM: Final = 5
"""Pixels of a spectrum that the first layer takes together, 345 km/s; divides 4620."""

STRETCHES: Final = 6
"""Pieces of a spectrum that are summed up separately: the observed frame is kept."""


class Patches(nn.Module):
    """Squares of pixels become channels, as in `nn.PixelUnshuffle`, but channels-last.

    One copy instead of two: a tenth of the time of looking at an image.
    """

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def forward(self, pixels: Tensor) -> Tensor:
        """`N x B x H x W` to `N x B·side² x H/side x W/side`."""
        n, b, h, w = pixels.shape
        rows, columns = h // self.side, w // self.side
        squares = pixels.reshape(n, b, rows, self.side, columns, self.side)
        last = squares.permute(0, 2, 4, 1, 3, 5).reshape(n, rows, columns, -1)
        return last.permute(0, 3, 1, 2)


class ImageConvolutions(nn.Module):
    """`N x B x 64 x 64` pixels to `N x F`: center and mean of the last map."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = 2 * width
        self.layers = nn.Sequential(
            Patches(IMAGE_STEM),
            nn.Conv2d(len(BANDS) * IMAGE_STEM**2, 48, 1),
            nn.SiLU(),
            nn.Conv2d(48, 48, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(48, 96, 3, stride=2, padding=1),
            nn.SiLU(),
            nn.Conv2d(96, 96, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(96, width, 3, stride=2, padding=1),
            nn.SiLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.SiLU(),
        )

    def forward(self, pixels: Tensor) -> Tensor:
        """Embed `N` images."""
        seen: Tensor = self.layers(pixels)  # N x F x 4 x 4
        center = seen[:, :, 1:3, 1:3].mean(dim=(2, 3))
        return torch.cat([center, seen.mean(dim=(2, 3))], dim=1)


class SpectrumConvolutions(nn.Module):
    """`N x C x L` channels in the observed frame to `N x F`, by stretches."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.width = STRETCHES * width
        self.layers = nn.Sequential(
            nn.Conv2d(channels * SPECTRUM_STEM, 48, (1, 3), padding=(0, 1)),
            nn.SiLU(),
            nn.Conv2d(48, 64, (1, 5), stride=(1, 3), padding=(0, 1)),
            nn.SiLU(),
            nn.Conv2d(64, 96, (1, 5), stride=(1, 5)),
            nn.SiLU(),
            nn.Conv2d(96, width, (1, 3), padding=(0, 1)),
            nn.SiLU(),
        )

    def forward(self, channels: Tensor) -> Tensor:
        """Embed `N` spectra."""
        n, c, _ = channels.shape
        stem = channels.reshape(n, c, N_PIXELS // SPECTRUM_STEM, SPECTRUM_STEM)
        stem = stem.transpose(2, 3).reshape(n, c * SPECTRUM_STEM, 1, -1)
        seen = self.layers(stem.contiguous(memory_format=torch.channels_last))
        pooled = functional.adaptive_avg_pool2d(seen, (1, STRETCHES))
        return pooled.flatten(start_dim=1)
