"""The joint model: prior, noise, masks, label errors.

    w_mtd ~ Normal(0, 1/√α)                       weights of the last layer
    y_it  ~ Normal(φ_mi · w_mt, √(s²_mi,t + e²_it))   where observed

for members m, objects i, latent targets t and features d; the last feature is the
constant 1. Training uses M members with their own features; the closed form in
`posterior/closed_form.py` is the same model with M = 1 and all features in one.
"""

from dataclasses import dataclass
from typing import Any, Final

import pyro
import pyro.distributions as dist
import torch
from pyro import poutine
from torch import Tensor, nn

WEIGHTS: Final = "weights"
"""Name of the sample site of the last layer's weights, `M x 1 x T x D`."""

INITIAL_LOG_SCALE: Final = -5.0
"""Guides start narrow: wide ones drown the first gradients in noise."""


@dataclass(frozen=True)
class Observations:
    """What labels say about `N` objects, as latents."""

    values: Tensor
    """`N x T`, anything where not observed."""
    error_variance: Tensor
    """`N x T` variances of the labels themselves."""
    observed: Tensor
    """`N x T` flags, or `M x N x T` where members see different labels."""
    scale: Tensor
    """`M x N x T` powers of the likelihood, positive: density weights, beta-NLL,
    the share of the labels in a batch."""


def joint_model(
    phi: Tensor, noise: Tensor, labels: Observations, prior_precision: Tensor
) -> None:
    """State the model of `N` labels to Pyro.

    Args:
        phi: `M x N x D` features, the last of them constant.
        noise: `M x N x T` variances s².
        labels: the labels as latents.
        prior_precision: `T x D` precisions α of the weights.
    """
    members, objects, _ = phi.shape
    with (
        pyro.plate("members", members, dim=-3),
        pyro.plate("latents", noise.shape[-1], dim=-1),
    ):
        prior = _normal(torch.zeros(()), prior_precision.rsqrt())
        weights = pyro.sample(WEIGHTS, prior.to_event(1))  # M x 1 x T x D
        mean = torch.matmul(phi, weights.squeeze(-3).transpose(-1, -2))  # M x N x T
        spread = (noise + labels.error_variance).sqrt()
        likelihood = _normal(mean, spread).mask(labels.observed)
        with (
            pyro.plate("objects", objects, dim=-2),
            poutine.scale(scale=labels.scale),
        ):
            pyro.sample("labels", likelihood, obs=labels.values.expand(mean.shape))


class MeanFieldGuide(nn.Module):
    """Independent Gaussians for all weights: the guide while encoders learn.

    The exact posterior replaces it after training; here it only has to be cheap.
    """

    def __init__(self, *, members: int, n_latents: int, dim: int) -> None:
        super().__init__()
        shape = (members, 1, n_latents, dim)
        self.location = nn.Parameter(torch.zeros(shape))
        self.log_scale = nn.Parameter(torch.full(shape, INITIAL_LOG_SCALE))

    def forward(self, *_: object) -> None:
        """State the guide; takes the arguments of the model and needs none."""
        members, n_latents = self.location.shape[0], self.location.shape[2]
        with (
            pyro.plate("members", members, dim=-3),
            pyro.plate("latents", n_latents, dim=-1),
        ):
            weights = _normal(self.location, self.log_scale.exp())
            pyro.sample(WEIGHTS, weights.to_event(1))


def _normal(mean: Tensor, spread: Tensor) -> Any:  # Any: Pyro is not typed
    return dist.Normal(mean, spread)
