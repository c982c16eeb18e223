"""A trained network: everything needed to turn measurements into φ and s²."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from al_service.features.preparation import COLUMNS_OF, prepare, presence
from al_service.features.scaling import Scaler
from al_service.models.config import ModelConfig
from al_service.models.fusion import FusionNetwork
from al_service.models.targets_transform import TargetTransform
from al_service.models.whitening import Whitening
from al_service.survey.inputs import Inputs, Modality

Floats = NDArray[np.float64]

ALL_BUT_SPECTRUM: Final = int(Modality.PHOTOMETRY | Modality.IMAGE)
"""What is left of an object of which no spectrum was taken."""


@dataclass(frozen=True)
class Encoded:
    """What a network makes of `N` objects."""

    phi: NDArray[np.float32]
    """`N x D`, whitened."""
    noise: NDArray[np.float32]
    """`N x T` variances s² of a label, latent units squared."""
    blind_phi: NDArray[np.float32] | None = None
    """`N x D` as if no object had a spectrum; None where no redshift was scanned."""
    blind_noise: NDArray[np.float32] | None = None
    """`N x T` of that."""
    partial_phi: NDArray[np.float32] | None = None
    """`N x V x D` as if no object had more than each of the network's `V` partial
    patterns; None where it has none."""
    partial_noise: NDArray[np.float32] | None = None
    """`N x V x T` of that."""


@dataclass(frozen=True)
class Network:
    """A fusion network with the scales it was trained on."""

    config: ModelConfig
    targets: tuple[str, ...]
    scalers: Mapping[str, Scaler]
    """Name of columns to their scale, fitted on training rows."""
    latent_center: NDArray[np.float64]
    """`T` means of the latents over the training labels."""
    latent_spread: NDArray[np.float64]
    """`T` standard deviations, positive: the network works in these units."""
    noise_scale: NDArray[np.float64]
    """`T` factors on the predicted noise, from labels that members did not see."""
    noise_limits: NDArray[np.float64]
    """`T x 2` smallest and largest log s² over the training labels, for latents of
    unit spread: beyond them the network extrapolates."""
    module: FusionNetwork
    whitening: Whitening
    partial_patterns: tuple[int, ...] = ()
    """`V` unions of `Modality` that objects have, other than everything and everything
    but the spectrum: labels teach each of them apart."""

    @cached_property
    def transform(self) -> TargetTransform:
        """The mapping between targets and latents."""
        return TargetTransform(self.targets)

    @property
    def dim(self) -> int:
        """Number of features D."""
        return self.config.dim

    @property
    def n_parameters(self) -> int:
        """Number of trained numbers."""
        return sum(weight.numel() for weight in self.module.parameters())

    @property
    def modalities(self) -> tuple[str, ...]:
        """What the network looks at."""
        return self.module.modalities

    def encode(self, inputs: Inputs, *, blind: bool = False) -> Encoded:
        """Features and noise of some objects.

        Args:
            inputs: `N` objects.
            blind: also without their spectra.
        """
        shown = [ALL_BUT_SPECTRUM] if blind else []
        shown += self.partial_patterns
        raw = raw_features(self.module, self.scalers, inputs, shown=shown)
        phi, noise = self._units(raw.seen)
        others = [self._units(one) for one in raw.shown]
        blind_phi, blind_noise = others.pop(0) if blind else (None, None)
        if not others:
            return Encoded(phi, noise, blind_phi, blind_noise)
        partial = [np.stack(parts, axis=1) for parts in zip(*others, strict=True)]
        return Encoded(phi, noise, blind_phi, blind_noise, *partial)

    def _units(
        self, raw: tuple[NDArray[np.float32], Floats]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Whitened φ and the noise in latent units."""
        return self.whitening.apply(raw[0]), self._noise(raw[1])

    def _noise(self, log_noise: Floats) -> NDArray[np.float32]:
        within = np.clip(log_noise, *self.noise_limits.T)
        noise = np.exp(within) * self.noise_scale * self.latent_spread**2
        return noise.astype(np.float32)


@dataclass(frozen=True)
class RawFeatures:
    """Unwhitened features and log noise of `N` objects."""

    seen: tuple[NDArray[np.float32], Floats]
    """`N x D`: the members' features side by side; `N x T`: their mean log noise, for
    latents of unit spread."""
    shown: list[tuple[NDArray[np.float32], Floats]]
    """The same for every pattern that was asked for."""


def scaled_tensors(
    scalers: Mapping[str, Scaler], inputs: Inputs
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """What the module eats.

    Returns:
        Scaled columns and pixels by name, `N x ...`; modality to `N` flags of presence.
    """
    modalities = [name for name, columns in COLUMNS_OF.items() if columns in scalers]
    columns = {
        name: torch.from_numpy(
            scalers[name].transform(part) if name in scalers else part
        )
        for name, part in prepare(inputs, modalities).items()
    }
    present = {
        name: torch.from_numpy(np.array(presence(inputs, name))) for name in modalities
    }
    return columns, present


def raw_features(
    module: FusionNetwork,
    scalers: Mapping[str, Scaler],
    inputs: Inputs,
    *,
    shown: Sequence[int] = (),
) -> RawFeatures:
    """Unwhitened features and log noise of some objects.

    Args:
        module: the trained module.
        scalers: of its columns.
        inputs: `N` objects.
        shown: unions of `Modality`: also as if no object had more than each of them.
    """
    columns, present = scaled_tensors(scalers, inputs)
    with torch.no_grad():
        parts = module.encode(columns, present)
        seen = _side_by_side(*module.join(parts))
        others = [
            _side_by_side(*module.join(module.showing(parts, pattern)))
            for pattern in shown
        ]
    return RawFeatures(seen, others)


def _side_by_side(phi: Tensor, log_noise: Tensor) -> tuple[NDArray[np.float32], Floats]:
    """Members' φ `M x N x D/M` as `N x D`, and their mean log noise, `N x T`."""
    joined = phi.transpose(0, 1).flatten(start_dim=1)
    return joined.numpy(), log_noise.double().mean(dim=0).numpy()
