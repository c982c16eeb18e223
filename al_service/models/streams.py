"""The comparison's networks: a stream per modality, joined before one head.

The paper compares networks of one modality with ways of joining two. Everything but the
joining is the same here, so that differences are owed to it. The service's own network
(`models/fusion.py`) has the same convolutions, several members and a Bayesian layer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import torch
from torch import Tensor, nn

from al_service.features.preparation import COLUMNS_OF, IMAGE, PHOTOMETRY, PIXELS_OF
from al_service.features.spectra import CHANNELS
from al_service.models.consistent_dropout import ConsistentDropout
from al_service.models.convolutions import ImageConvolutions, SpectrumConvolutions
from al_service.survey.spectra.grid import N_PIXELS

LOG_NOISE_LIMITS: Final = (-14.0, 4.0)
"""Range of log s² for labels of unit spread: a thousandth of it, and seven times."""

_FLAT_CHANNELS: Final = 2
"""Of a spectrum that a fully connected layer reads: lines and continuum."""


class Reading(StrEnum):
    """What a stream reads of its modality."""

    COLUMNS = "columns"  # measured columns only
    PIXELS = "pixels"  # convolutions only, as in the paper
    FLAT = "flat"  # every pixel into a fully connected layer, as in the paper
    BOTH = "both"  # convolutions beside the measured columns


class Joining(StrEnum):
    """How streams become one."""

    CONCAT = "concat"  # side by side
    ATTENTION = "attention"  # each looks at all of them first


@dataclass(frozen=True)
class StreamShape:
    """Sizes of a network, and what decides its layers."""

    readings: Mapping[str, Reading]
    """Modality to what is read of it."""
    n_columns: Mapping[str, int]
    """Modality to the number of its columns."""
    n_targets: int
    joining: Joining = Joining.CONCAT
    width: int = 128
    """Of every stream."""
    dropout: float = 0.0


@dataclass(frozen=True)
class Said:
    """What a network makes of `N` objects, labels of unit spread."""

    mean: Tensor
    """`N x T`."""
    log_noise: Tensor
    """`N x T`."""
    features: Tensor
    """`N x D`, which the head reads."""
    parts: dict[str, Tensor]
    """Modality to its `N x F` stream, the token where it is absent."""


class StreamNetwork(nn.Module):
    """Streams → tokens where absent → joined features → means and noise."""

    def __init__(self, shape: StreamShape) -> None:
        super().__init__()
        self.shape = shape
        self.names = tuple(sorted(shape.readings))
        self.streams = nn.ModuleDict(
            {name: _stream(name, shape) for name in self.names}
        )
        self.tokens = nn.ParameterDict(
            {name: nn.Parameter(torch.zeros(1, shape.width)) for name in self.names}
        )
        self.attention = (
            nn.MultiheadAttention(shape.width, 4, batch_first=True)
            if shape.joining is Joining.ATTENTION
            else None
        )
        joined = shape.width * len(self.names)
        self.trunk = nn.Sequential(
            nn.Linear(joined, shape.width),
            nn.SiLU(),
            ConsistentDropout(shape.width, shape.dropout),
        )
        self.head = nn.Linear(shape.width, shape.n_targets)
        self.noise = nn.Sequential(
            nn.Linear(shape.width, 32), nn.SiLU(), nn.Linear(32, shape.n_targets)
        )

    def forward(
        self, columns: Mapping[str, Tensor], present: Mapping[str, Tensor]
    ) -> Said:
        """Means and noise of `N` objects.

        Args:
            columns: scaled columns `N x F` and pixels `N x ...` by name.
            present: modality to `N` flags.
        """
        return self.join(self.encode(columns, present))

    def encode(
        self, columns: Mapping[str, Tensor], present: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        """Modality to its `N x F` stream, the token where it is absent."""
        return self.finish(self.look(columns, present), present)

    def look(
        self, columns: Mapping[str, Tensor], present: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        """Modality to what is seen of those that have it, before anything is left out.

        All convolutions are here, and no dropout is: networks that are drawn from one
        see the same.
        """
        return {
            name: self._stream(name).look(_read(name, columns, present[name]))
            for name in self.names
            if bool(present[name].any())
        }

    def finish(
        self, seen: Mapping[str, Tensor], present: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        """What `look` gave becomes what `encode` gives."""
        return {name: self._finished(name, seen, present[name]) for name in self.names}

    def join(self, parts: Mapping[str, Tensor]) -> Said:
        """Streams to means and noise."""
        stacked = torch.stack([parts[name] for name in self.names], dim=1)  # N x M x F
        if self.attention is not None:
            looked, _ = self.attention(stacked, stacked, stacked, need_weights=False)
            stacked = stacked + looked
        features = self.trunk(stacked.flatten(start_dim=1))
        # The noise reads the features but does not shape them.
        log_noise = self.noise(features.detach()).clamp(*LOG_NOISE_LIMITS)
        return Said(self.head(features), log_noise, features, dict(parts))

    def _finished(
        self, name: str, seen: Mapping[str, Tensor], present: Tensor
    ) -> Tensor:
        token: Tensor = self.tokens[name]
        absent = token.expand(len(present), -1)
        if name not in seen:
            return absent
        stream = self._stream(name).finish(seen[name])
        rows = present.nonzero().squeeze(dim=1)
        return stream if bool(present.all()) else absent.index_copy(0, rows, stream)

    def _stream(self, name: str) -> "Stream":
        stream = self.streams[name]
        if not isinstance(stream, Stream):
            raise TypeError(f"{name}: expected a Stream, found {type(stream)}")
        return stream


class Stream(nn.Module):
    """One modality: pixels, columns, or both, become one vector."""

    def __init__(
        self,
        name: str,
        pixels: nn.Module | None,
        *,
        n_embedded: int,
        n_columns: int,
        shape: StreamShape,
    ) -> None:
        super().__init__()
        self.columns_name = COLUMNS_OF.get(name, name) if n_columns else None
        self.pixels_name = PIXELS_OF[name] if pixels is not None else None
        self.pixels = pixels
        width = shape.width
        self.narrow = nn.Linear(n_embedded, width) if pixels is not None else None
        self.columns = (
            nn.Sequential(nn.Linear(n_columns, width), nn.SiLU()) if n_columns else None
        )
        sources = (pixels is not None) + (n_columns > 0)
        self.join = nn.Sequential(
            nn.Linear(sources * width, width),
            nn.SiLU(),
            ConsistentDropout(width, shape.dropout),
        )

    def look(self, read: Mapping[str, Tensor]) -> Tensor:
        """What pixels and columns say, side by side."""
        parts = []
        if self.columns is not None and self.columns_name is not None:
            parts.append(self.columns(read[self.columns_name]))
        if self.pixels is not None and self.narrow is not None:
            seen = self.pixels(read[str(self.pixels_name)])
            parts.append(nn.functional.silu(self.narrow(seen)))
        return torch.cat(parts, dim=1)

    def finish(self, seen: Tensor) -> Tensor:
        """`N x F` out of what `look` saw of `N` objects that have the modality."""
        joined: Tensor = self.join(seen)
        return joined


def _read(
    name: str, columns: Mapping[str, Tensor], present: Tensor
) -> dict[str, Tensor]:
    """Columns and pixels of the objects that have a modality; no copy if all do."""
    names = (COLUMNS_OF.get(name, name), PIXELS_OF.get(name, ""))
    at_hand = {key: columns[key] for key in names if key in columns}
    if bool(present.all()):
        return at_hand
    return {key: part[present] for key, part in at_hand.items()}


class FlatSpectrum(nn.Module):
    """The paper's spectral network: every pixel into fully connected layers."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Linear(_FLAT_CHANNELS * N_PIXELS, 2 * width),
            nn.SiLU(),
            nn.Linear(2 * width, width),
            nn.SiLU(),
        )

    def forward(self, channels: Tensor) -> Tensor:
        """`N x C x L` channels to `N x F`."""
        embedded: Tensor = self.layers(channels[:, :_FLAT_CHANNELS])
        return embedded


def _stream(name: str, shape: StreamShape) -> Stream:
    reading = shape.readings[name]
    width = shape.width
    pixels: nn.Module | None = None
    n_embedded = 0
    if reading in (Reading.PIXELS, Reading.BOTH) and name != PHOTOMETRY:
        convolutions = (
            ImageConvolutions(width)
            if name == IMAGE
            else SpectrumConvolutions(len(CHANNELS), width)
        )
        pixels, n_embedded = convolutions, convolutions.width
    elif reading is Reading.FLAT:
        pixels, n_embedded = FlatSpectrum(width), width
    wants_columns = pixels is None or reading is Reading.BOTH
    return Stream(
        name,
        pixels,
        n_embedded=n_embedded,
        n_columns=shape.n_columns[name] if wants_columns else 0,
        shape=shape,
    )
