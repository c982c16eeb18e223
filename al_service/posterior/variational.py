"""All weights of a trained network become Gaussian: Pyro's variational inference.

    w ~ Normal(0, σ_w)                       every weight of a layer
    y ~ Normal(f_w(x), √(s_w²(x) + e²))      where known

The guide is a Gaussian per weight (Blundell et al. 2015), begun at the trained weights;
σ_w is the root mean square of a layer's trained weights: the prior has seen labels.
With hundreds of thousands of weights and some thousand labels the prior would drown the
labels; its part counts a tenth (Wenzel et al. 2020 on tempered posteriors).
"""

from dataclasses import dataclass
from typing import Any, Final

import pyro
import pyro.distributions as dist
import torch
from pyro import poutine
from pyro.infer import TraceMeanField_ELBO
from torch import Tensor, nn
from torch.func import functional_call

from al_service.models.streams import Said, StreamNetwork
from al_service.posterior.stream_data import StreamData
from al_service.posterior.stream_fitting import StreamSchedule, batches, varied

TEMPERATURE: Final = 0.1
"""Weight of prior and entropy against the labels."""

START: Final = 0.02
"""First standard deviation of a weight relative to its layer's root mean square."""

LEARNING_RATE: Final = 5e-4
"""Of the weights' places: small, for they have been learned."""

SPREAD_LEARNING_RATE: Final = 2e-2
"""Of the logarithms of their spreads, which have not: Adam moves each by about as much
in a step, and some hundred steps must be able to change a spread tenfold."""

_EPOCH_SHARE: Final = 0.5
"""Of the epochs of the network itself."""

_LEAST_SPREAD: Final = 1e-3
"""Root mean square below which weights have no scale: biases at their start."""


@dataclass(frozen=True)
class WeightGuide:
    """A Gaussian for every weight."""

    location: dict[str, Tensor]
    log_scale: dict[str, Tensor]

    def draw(self, generator: torch.Generator) -> dict[str, Tensor]:
        """One network out of all that the guide stands for."""
        drawn = {}
        # By name: a guide that was stored comes back in another order.
        for name, mean in sorted(self.location.items()):
            noise = torch.randn(mean.shape, generator=generator)
            drawn[name] = mean + self.log_scale[name].exp() * noise
        return drawn


def passed_with(
    network: StreamNetwork, weights: dict[str, Tensor], data: StreamData
) -> Said:
    """What a network would say with other weights."""
    said: Said = functional_call(network, weights, (data.columns, data.present))
    return said


def fit_guide(
    network: StreamNetwork,
    training: StreamData,
    schedule: StreamSchedule,
    *,
    seed: int,
) -> WeightGuide:
    """Learn how far every weight may stray.

    Args:
        network: trained.
        training: what it was trained on.
        schedule: of that training.
        seed: of everything random.
    """
    location = {
        name: weight.detach().clone() for name, weight in network.named_parameters()
    }
    scale = {name: _rms(weight) for name, weight in location.items()}
    log_scale = {
        name: torch.full_like(weight, START * scale[name]).log()
        for name, weight in location.items()
    }
    free = [*location.values(), *log_scale.values()]
    for part in free:
        part.requires_grad_()
    steps = max(2, round(_EPOCH_SHARE * schedule.steps(len(training))))
    with (
        torch.random.fork_rng(devices=[]),
        pyro.get_param_store().scope(),
        pyro.validation_enabled(is_validate=False),
    ):
        torch.manual_seed(seed)
        _learn(network, location, log_scale, scale, training, schedule, steps)
    return WeightGuide(
        {name: part.detach() for name, part in location.items()},
        {name: part.detach() for name, part in log_scale.items()},
    )


def _learn(
    network: nn.Module,
    location: dict[str, Tensor],
    log_scale: dict[str, Tensor],
    scale: dict[str, float],
    training: StreamData,
    schedule: StreamSchedule,
    steps: int,
) -> None:
    """Maximize the tempered evidence lower bound."""
    n = len(training)

    def model(data: StreamData) -> None:
        with poutine.scale(scale=TEMPERATURE):
            weights = {
                name: pyro.sample(name, _gaussian(torch.zeros_like(mean), scale[name]))
                for name, mean in location.items()
            }
        said = functional_call(network, weights, (data.columns, data.present))
        spread = (said.log_noise.exp() + data.error_variance).sqrt()
        likelihood: Any = dist.Normal(said.mean, spread)
        with poutine.scale(scale=n / len(data)):
            pyro.sample(
                "labels", likelihood.mask(data.known).to_event(2), obs=data.values
            )

    def guide(_data: StreamData) -> None:
        with poutine.scale(scale=TEMPERATURE):
            for name, mean in location.items():
                pyro.sample(name, _gaussian(mean, log_scale[name].exp()))

    elbo: Any = TraceMeanField_ELBO()  # type: ignore[no-untyped-call]  # Pyro
    free = [*location.values(), *log_scale.values()]
    adam = torch.optim.Adam(
        [
            {"params": [*location.values()], "lr": LEARNING_RATE},
            {"params": [*log_scale.values()], "lr": SPREAD_LEARNING_RATE},
        ]
    )
    for rows in batches(n, schedule.batch, steps):
        drawn = varied(training.take(rows), schedule)
        loss = elbo.differentiable_loss(model, guide, drawn) / n
        adam.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(free, schedule.clip)
        adam.step()


def _gaussian(mean: Tensor, spread: Tensor | float) -> Any:  # Any: Pyro is not typed
    one: Any = dist.Normal(mean, torch.as_tensor(spread).expand_as(mean))
    return one.to_event(mean.dim())


def _rms(weight: Tensor) -> float:
    return max(float((weight**2).mean().sqrt()), _LEAST_SPREAD)
