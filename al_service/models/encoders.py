"""Measurements become features: one encoder per modality.

Every encoder serves all members of the network at once: what a modality's names in
`features/preparation.py` say in, columns first, `M x N x F` out. A new modality is a
class with the attribute `width` and a line in `fusion.py`.
"""

import math

import torch
from torch import Tensor, nn


class MemberLinear(nn.Module):
    """`M` linear layers side by side, one per member."""

    def __init__(self, members: int, n_in: int, n_out: int) -> None:
        super().__init__()
        bound = 1.0 / math.sqrt(n_in)  # as torch.nn.Linear starts
        self.weight = nn.Parameter(
            torch.empty(members, n_in, n_out).uniform_(-bound, bound)
        )
        self.bias = nn.Parameter(torch.empty(members, 1, n_out).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        """`N x F_in` or `M x N x F_in` to `M x N x F_out`."""
        if x.dim() == 2:
            x = x.expand(len(self.weight), *x.shape)
        return torch.baddbmm(self.bias, x, self.weight)


class PhotometryEncoder(nn.Module):
    """Two hidden layers on the scaled columns of `PHOTOMETRY_FEATURES`."""

    def __init__(self, *, members: int, n_in: int, hidden: int) -> None:
        super().__init__()
        self.width = hidden
        self.layers = nn.Sequential(
            MemberLinear(members, n_in, hidden),
            nn.SiLU(),
            MemberLinear(members, hidden, hidden),
            nn.SiLU(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """`N x F_in` scaled columns to `M x N x F` features."""
        features: Tensor = self.layers(x)
        return features


class PixelEncoder(nn.Module):
    """Shared convolutions of the pixels, beside columns that sum them up.

    The embedding passes one narrow shared layer; columns and embedding then meet in
    hidden layers of each member's own.
    """

    def __init__(
        self,
        convolutions: nn.Module,
        *,
        members: int,
        n_embedded: int,
        n_columns: int,
        hidden: int,
    ) -> None:
        super().__init__()
        self.width = hidden
        self.convolutions = convolutions
        self.narrow = nn.Sequential(nn.Linear(n_embedded, hidden), nn.SiLU())
        self.columns = nn.Sequential(
            MemberLinear(members, n_columns, hidden),
            nn.SiLU(),
        )
        self.join = nn.Sequential(MemberLinear(members, 2 * hidden, hidden), nn.SiLU())

    def forward(self, columns: Tensor, pixels: Tensor) -> Tensor:
        """`N x F_in` scaled columns and `N x ...` pixels to `M x N x F` features."""
        said = self.columns(columns)  # M x N x F
        seen = self.narrow(self.convolutions(pixels)).expand(len(said), -1, -1)
        features: Tensor = self.join(torch.cat([said, seen], dim=-1))
        return features


class Joining(nn.Module):
    """Modalities' features become φ: a linear layer beside a hidden one.

    What an image says of a rate depends on what the lines say, and on whether there
    are any: a linear layer alone adds up what each modality says by itself. Where there
    is but one modality its own encoder has hidden layers enough.
    """

    def __init__(self, members: int, n_in: int, n_out: int, *, hidden: int) -> None:
        super().__init__()
        self.hidden = nn.Sequential(MemberLinear(members, n_in, hidden), nn.SiLU())
        self.out = MemberLinear(members, n_in + hidden, n_out)

    def forward(self, x: Tensor) -> Tensor:
        """`M x N x F_in` to `M x N x F_out`."""
        joined: Tensor = self.out(torch.cat([x, self.hidden(x)], dim=-1))
        return joined
