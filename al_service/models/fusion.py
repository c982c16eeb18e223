"""Encoders become one vector of fused features φ and a noise s²(x).

A modality that an object lacks is replaced by a learned token; in training, modalities
that others can replace are hidden now and then, so that the token means something.
"""

from collections.abc import Mapping
from typing import Final

import torch
from torch import Tensor, nn

from al_service.models.config import ModelConfig
from al_service.models.encoders import MemberLinear, PhotometryEncoder

LOG_NOISE_LIMITS: Final = (-18.0, 4.0)
"""Range of log s² for latents of unit spread. A redshift scan is good to 1e-4 of the
spread, log s² = -18; a label noisier than e^4 times the spread teaches nothing."""


class FusionNetwork(nn.Module):
    """`M` members, each: encoders → tokens where absent → fused features."""

    def __init__(
        self, config: ModelConfig, *, widths: Mapping[str, int], n_latents: int
    ) -> None:
        """Build the encoders of the modalities at hand.

        Args:
            config: sizes.
            widths: modality to the width of its scaled input.
            n_latents: number of latent targets, for the noise branch.
        """
        super().__init__()
        self.modalities = tuple(sorted(widths))
        self.encoders = nn.ModuleDict(
            {name: _encoder(name, config, widths[name]) for name in self.modalities}
        )
        width = sum(_width(self.encoders[name]) for name in self.modalities)
        self.tokens = nn.ParameterDict(
            {
                name: nn.Parameter(
                    torch.zeros(config.members, 1, _width(self.encoders[name]))
                )
                for name in self.modalities
            }
        )
        self.fuse = MemberLinear(config.members, width, config.dim // config.members)
        self.noise = nn.Sequential(
            MemberLinear(config.members, width, config.noise_hidden),
            nn.SiLU(),
            MemberLinear(config.members, config.noise_hidden, n_latents),
        )

    def forward(
        self, columns: Mapping[str, Tensor], present: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Features and noise of `N` objects.

        Args:
            columns: modality to `N x ...` scaled input.
            present: modality to `N` flags; a hidden modality is not present.

        Returns:
            φ `M x N x D/M` and log s² `M x N x T`, for latents of unit spread.
        """
        parts = [
            torch.where(
                present[name][:, None], self.encoders[name](columns[name]), token
            )
            for name, token in self.tokens.items()
        ]
        fused = torch.cat(parts, dim=-1)
        # The noise reads the features but does not shape them: a separate branch.
        log_noise: Tensor = self.noise(fused.detach())
        return self.fuse(fused), log_noise.clamp(*LOG_NOISE_LIMITS)


def hide_modalities(
    present: Mapping[str, Tensor],
    rates: Mapping[str, float],
    generator: torch.Generator,
) -> dict[str, Tensor]:
    """Hide modalities at random, never the last one of an object.

    Args:
        present: modality to `N` flags.
        rates: modality to the probability of hiding it.
        generator: source of the randomness.

    Returns:
        Modality to `N` flags.
    """
    kept = {
        name: flags & (torch.rand(len(flags), generator=generator) >= rates[name])
        for name, flags in present.items()
    }
    blind = ~torch.stack(list(kept.values())).any(dim=0)
    return {name: flags | (blind & present[name]) for name, flags in kept.items()}


def _encoder(name: str, config: ModelConfig, width: int) -> nn.Module:
    if name == "photometry":
        return PhotometryEncoder(
            members=config.members, n_in=width, hidden=config.hidden
        )
    raise ValueError(f"expected a modality with an encoder, found {name!r}")


def _width(encoder: nn.Module) -> int:
    width = encoder.width
    if not isinstance(width, int):
        raise TypeError(f"encoder.width: expected an int, found {width!r}")
    return width
