"""The Pyro model and the closed form are one model."""

from typing import Any

import numpy as np
import pyro
import pytest
import torch
from pyro import poutine
from pyro.infer import SVI, Trace_ELBO
from pyro.infer.autoguide import AutoMultivariateNormal
from pyro.optim import ClippedAdam
from torch import Tensor

from al_service.models.pyro_model import WEIGHTS, Observations, joint_model
from al_service.posterior.closed_form import WeightPosterior, exact_posterior

N, D, T = 60, 4, 2

# Any: Pyro is not typed.
GUIDE: Any = AutoMultivariateNormal
ELBO: Any = Trace_ELBO
INFERENCE: Any = SVI

Frozen = tuple[Tensor, Tensor, Observations, Tensor]


@pytest.fixture
def frozen() -> Frozen:
    """φ, s², labels with errors and gaps, prior precisions: encoders stand still."""
    generator = torch.Generator().manual_seed(3)
    phi = torch.randn(1, N, D, generator=generator)
    phi[..., -1] = 1.0
    noise = 0.1 + torch.rand(1, N, T, generator=generator)
    labels = Observations(
        values=torch.randn(N, T, generator=generator) + phi[0, :, :1],
        error_variance=0.5 * torch.rand(N, T, generator=generator),
        observed=torch.rand(N, T, generator=generator) < 0.7,
        scale=torch.ones(1, N, T),
    )
    precision = torch.full((T, D), 2.0)
    precision[:, -1] = 0.5
    return phi, noise, labels, precision


def exact(frozen: Frozen, latent: int) -> WeightPosterior:
    phi, noise, labels, precision = frozen
    rows = labels.observed[:, latent].numpy()
    total = (noise[0] + labels.error_variance)[:, latent].double().numpy()
    return exact_posterior(
        phi[0].double().numpy()[rows],
        labels.values[:, latent].double().numpy()[rows],
        total[rows],
        precision[latent].double().numpy(),
    )


def test_with_frozen_encoders_a_gaussian_guide_converges_to_the_closed_form(
    frozen: Frozen,
) -> None:
    steps = 500
    with torch.random.fork_rng(devices=[]), pyro.get_param_store().scope():
        torch.manual_seed(0)
        guide, elbo = (
            GUIDE(joint_model, init_scale=0.1),
            ELBO(num_particles=32, vectorize_particles=True, max_plate_nesting=3),
        )
        # The rate falls by a factor of 300, so that the last steps hardly move.
        optimizer = ClippedAdam({"lr": 0.05, "lrd": 300.0 ** (-1.0 / steps)})
        svi = INFERENCE(joint_model, guide, optimizer, loss=elbo)
        for _ in range(steps):
            svi.step(*frozen)
        posterior = guide.get_posterior()
        mean = posterior.mean.detach().double().numpy().reshape(T, D)
        covariance = posterior.covariance_matrix.detach().double().numpy()
    spread = np.sqrt(np.diag(covariance)).reshape(T, D)
    for latent in range(T):
        closed = exact(frozen, latent)
        deviation = np.sqrt((closed.factor**2).sum(axis=1))
        assert np.abs(mean[latent] - closed.mean).max() < 0.05 * deviation.min()
        np.testing.assert_allclose(spread[latent], deviation, rtol=0.05)


def test_the_closed_form_is_the_mode_of_the_joint_density(frozen: Frozen) -> None:
    phi, noise, labels, precision = frozen
    means = [exact(frozen, latent).mean for latent in range(T)]
    weights = torch.tensor(np.array(means), dtype=torch.float32)[None, None]
    weights.requires_grad_()
    conditioned = poutine.condition(joint_model, data={WEIGHTS: weights})
    trace = poutine.trace(conditioned).get_trace(phi, noise, labels, precision)
    density = torch.as_tensor(trace.log_prob_sum())
    (gradient,) = torch.autograd.grad(density, weights)
    # Gradients of the likelihood alone are of order N / s² = 100 here.
    assert float(gradient.abs().max()) < 1e-3


def test_a_label_that_is_not_observed_changes_nothing(frozen: Frozen) -> None:
    phi, noise, labels, precision = frozen
    wild = Observations(
        torch.where(labels.observed, labels.values, 1e6),
        labels.error_variance,
        labels.observed,
        labels.scale,
    )
    weights = torch.zeros(1, 1, T, D)

    def density(seen: Observations) -> float:
        conditioned = poutine.condition(joint_model, data={WEIGHTS: weights})
        trace = poutine.trace(conditioned).get_trace(phi, noise, seen, precision)
        return float(trace.log_prob_sum())

    assert density(wild) == pytest.approx(density(labels))
