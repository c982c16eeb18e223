"""A trained network: everything needed to turn measurements into φ and s²."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from al_service.features.photometry import photometry_features
from al_service.features.scaling import Scaler
from al_service.models.config import ModelConfig
from al_service.models.fusion import FusionNetwork
from al_service.models.targets_transform import TargetTransform
from al_service.models.whitening import Whitening
from al_service.survey.inputs import Inputs

MODALITIES: Final[tuple[str, ...]] = ("photometry",)
"""Modalities that have an encoder."""


@dataclass(frozen=True)
class Network:
    """A fusion network with the scales it was trained on."""

    config: ModelConfig
    targets: tuple[str, ...]
    scalers: Mapping[str, Scaler]
    """Per modality, fitted on training rows."""
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

    def encode(self, inputs: Inputs) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Features and noise of some objects.

        Args:
            inputs: `N` objects.

        Returns:
            Whitened φ, `N x D`, and s², `N x T` in latent units squared.
        """
        phi, log_noise = raw_features(self.module, self.scalers, inputs)
        log_noise = np.clip(log_noise, *self.noise_limits.T)
        noise = np.exp(log_noise) * self.noise_scale * self.latent_spread**2
        return self.whitening.apply(phi), noise.astype(np.float32)


def modality_columns(inputs: Inputs) -> dict[str, NDArray[np.floating[Any]]]:
    """Modality to the unscaled input of its encoder, NaN where missing."""
    return {"photometry": photometry_features(inputs.photometry)}


def scaled_tensors(
    scalers: Mapping[str, Scaler], inputs: Inputs
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """What the module eats.

    Returns:
        Modality to `N x ...` scaled input, and to `N` flags of presence.
    """
    columns = {
        name: torch.from_numpy(scalers[name].transform(unscaled))
        for name, unscaled in modality_columns(inputs).items()
        if name in scalers
    }
    present = {
        name: torch.from_numpy(np.array(getattr(inputs, f"has_{name}")))
        for name in columns
    }
    return columns, present


def raw_features(
    module: FusionNetwork, scalers: Mapping[str, Scaler], inputs: Inputs
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Unwhitened features and log noise of some objects.

    Returns:
        φ, `N x D`: the members' features side by side; log s², `N x T`: the members'
        mean, for latents of unit spread.
    """
    columns, present = scaled_tensors(scalers, inputs)
    with torch.no_grad():
        phi, log_noise = module(columns, present)  # M x N x D/M, M x N x T
    joined = phi.transpose(0, 1).flatten(start_dim=1)  # N x D
    return joined.numpy(), log_noise.double().mean(dim=0).numpy()
