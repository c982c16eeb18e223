"""Encoders become one vector of fused features φ and a noise s²(x).

A modality that an object lacks is replaced by a learned token; in training, modalities
that others can replace are hidden now and then, and now and then all but one are, so
that the token means something.
"""

from collections.abc import Mapping
from typing import Final

import torch
from torch import Tensor, nn

from al_service.features.preparation import COLUMNS_OF, PIXELS_OF
from al_service.features.spectra import CHANNELS
from al_service.models.config import ModelConfig
from al_service.models.convolutions import ImageConvolutions, SpectrumConvolutions
from al_service.models.encoders import (
    Joining,
    MemberLinear,
    PhotometryEncoder,
    PixelEncoder,
)
from al_service.survey.inputs import Modality

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
            widths: name of columns, as in `COLUMNS_OF`, to their number; one entry
                for every modality that has an encoder.
            n_latents: number of latent targets, for the noise branch.
        """
        super().__init__()
        self._allowed = config.modalities
        self.modalities = tuple(
            sorted(name for name, columns in COLUMNS_OF.items() if columns in widths)
        )
        self.encoders = nn.ModuleDict(
            {
                name: _encoder(name, config, widths[COLUMNS_OF[name]])
                for name in self.modalities
            }
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
        self.fuse = _fuse(config, width, n_modalities=len(self.modalities))
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
            columns: scaled columns `N x F` and pixels `N x ...` by name.
            present: modality to `N` flags; a hidden modality is not present.

        Returns:
            φ `M x N x D/M` and log s² `M x N x T`, for latents of unit spread.
        """
        return self.join(self.encode(columns, present))

    def encode(
        self, columns: Mapping[str, Tensor], present: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        """Modality to `M x N x F` features, the token where it is absent."""
        return {
            name: self._encoded(name, token, columns, present[name])
            for name, token in self.tokens.items()
        }

    def join(self, parts: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Modalities' features to φ and log s², as `forward` gives them."""
        fused = torch.cat([parts[name] for name in self.modalities], dim=-1)
        # The noise reads the features but does not shape them: a separate branch.
        log_noise: Tensor = self.noise(fused.detach())
        return self.fuse(fused), log_noise.clamp(*LOG_NOISE_LIMITS)

    def showing(self, parts: Mapping[str, Tensor], pattern: int) -> dict[str, Tensor]:
        """The same features as if no object had more than some modalities.

        Args:
            parts: as `encode` gives them.
            pattern: union of `Modality`; the rest is hidden.
        """
        return {
            name: part if pattern & bit_of(name) else self.tokens[name].expand_as(part)
            for name, part in parts.items()
        }

    @property
    def everything(self) -> int:
        """Union of `Modality`: what the network looks at."""
        allowed = self._allowed
        return sum(
            bit_of(name)
            for name in self.modalities
            if allowed is None or name in allowed
        )

    @property
    def sees_pixels(self) -> bool:
        """Whether images or spectra are looked at; their convolutions are shared."""
        return any(name in PIXELS_OF for name in self.modalities)

    def _encoded(
        self,
        name: str,
        token: Tensor,
        columns: Mapping[str, Tensor],
        present: Tensor,
    ) -> Tensor:
        """Features of one modality, `M x N x F`, the token where it is absent."""
        encoder = self.encoders[name]
        if self._allowed is not None and name not in self._allowed:
            return token.expand(-1, len(present), -1)
        if name not in PIXELS_OF:
            return torch.where(
                present[:, None], encoder(columns[COLUMNS_OF[name]]), token
            )
        # Pixels are dear: those that are absent or hidden are not convolved, nor is
        # anything copied where all objects have them.
        rows = present.nonzero().squeeze(dim=1)
        absent = token.expand(-1, len(present), -1)
        if len(rows) == 0:
            return absent
        scaled, pixels = columns[COLUMNS_OF[name]], columns[PIXELS_OF[name]]
        if len(rows) == len(present):
            seen: Tensor = encoder(scaled, pixels)
            return seen
        return absent.index_copy(1, rows, encoder(scaled[rows], pixels[rows]))


def hide_modalities(
    present: Mapping[str, Tensor],
    rates: Mapping[str, float],
    generator: torch.Generator,
    *,
    alone: float = 0.0,
) -> dict[str, Tensor]:
    """Hide modalities at random, never the last one of an object.

    Args:
        present: modality to `N` flags.
        rates: modality to the probability of hiding it.
        generator: source of the randomness.
        alone: probability of hiding all but one, whichever it is.

    Returns:
        Modality to `N` flags.
    """
    kept = {
        name: flags & (torch.rand(len(flags), generator=generator) >= rates[name])
        for name, flags in present.items()
    }
    blind = ~torch.stack(list(kept.values())).any(dim=0)
    kept = {name: flags | (blind & present[name]) for name, flags in kept.items()}
    if len(kept) == 1 or alone == 0.0:
        return kept
    return _alone(present, kept, generator, alone)


def _alone(
    present: Mapping[str, Tensor],
    kept: Mapping[str, Tensor],
    generator: torch.Generator,
    probability: float,
) -> dict[str, Tensor]:
    """Of some objects one modality that they have, of the others what was kept."""
    flags = torch.stack(list(present.values()))
    one = torch.rand(flags.shape, generator=generator).mul(flags).argmax(dim=0)
    lonely = torch.rand(flags.shape[1], generator=generator) < probability
    return {
        name: torch.where(lonely, present[name] & (one == place), kept[name])
        for place, name in enumerate(present)
    }


def bit_of(modality: str) -> int:
    """The bit of a modality in a pattern."""
    return int(Modality[modality.upper()])


def _fuse(
    config: ModelConfig, width: int, *, n_modalities: int
) -> MemberLinear | Joining:
    share = config.dim // config.members
    if n_modalities == 1:
        return MemberLinear(config.members, width, share)
    return Joining(config.members, width, share, hidden=config.joining_hidden)


def _encoder(name: str, config: ModelConfig, width: int) -> nn.Module:
    if name == "photometry":
        return PhotometryEncoder(
            members=config.members, n_in=width, hidden=config.hidden
        )
    if name == "image":
        images = ImageConvolutions(config.embedding)
        return _pixel_encoder(images, images.width, config, width)
    if name == "spectrum":
        spectra = SpectrumConvolutions(len(CHANNELS), config.embedding)
        return _pixel_encoder(spectra, spectra.width, config, width)
    raise ValueError(f"expected a modality with an encoder, found {name!r}")


def _pixel_encoder(
    convolutions: nn.Module, n_embedded: int, config: ModelConfig, n_columns: int
) -> nn.Module:
    return PixelEncoder(
        convolutions,
        members=config.members,
        n_embedded=n_embedded,
        n_columns=n_columns,
        hidden=config.hidden,
    )


def _width(encoder: nn.Module) -> int:
    width = encoder.width
    if not isinstance(width, int):
        raise TypeError(f"encoder.width: expected an int, found {width!r}")
    return width
