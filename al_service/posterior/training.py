"""The training loop: encoders and a guide of the last layer learn together."""

import math
from collections.abc import Callable, Iterator
from typing import Any, Final

import torch
from pyro.infer import TraceMeanField_ELBO
from torch import Tensor

from al_service.errors import RunStopped
from al_service.features.augmentation import augmented
from al_service.features.preparation import SPECTRUM
from al_service.models.config import ModelConfig
from al_service.models.fusion import FusionNetwork, hide_modalities
from al_service.models.pyro_model import MeanFieldGuide, Observations, joint_model
from al_service.posterior.closed_form import INTERCEPT_PRECISION
from al_service.posterior.label_tensors import LabelTensors
from al_service.posterior.optimizing import Optimizer

STOP_EVERY: Final = 20
"""Optimizer steps between two looks at the stop signal: some hundredths of a second.
A step that looks at pixels takes up to half a second: there every one looks."""

TRAINING_PRECISION: Final = 1.0
"""Prior precision of the weights while encoders learn, per feature of a member."""


def train(
    module: FusionNetwork,
    labels: LabelTensors,
    config: ModelConfig,
    *,
    taught: Tensor,
    redshift: int | None,
    progress: Callable[[float], None],
    should_stop: Callable[[], bool],
) -> None:
    """Maximize the evidence lower bound; the module ends with its averaged weights.

    Args:
        module: untrained; torch's global generator draws everything random.
        labels: `N` labeled objects.
        config: the schedule.
        taught: `M x N` flags: which labels each member sees.
        redshift: column of z among the latents, if it is a target.
        progress: told the finished share now and then.
        should_stop: asked every few batches.

    Raises:
        RunStopped: `should_stop` said so.
    """
    n, n_latents = labels.values.shape
    batch = min(config.batch, n)
    schedule = config.schedule(pixels=module.sees_pixels)
    steps = max(config.min_steps, schedule.epochs * math.ceil(n / batch))
    dim = config.dim // config.members + 1
    guide = MeanFieldGuide(members=config.members, n_latents=n_latents, dim=dim)
    precision = torch.full((n_latents, dim), TRAINING_PRECISION)
    precision[:, -1] = INTERCEPT_PRECISION
    elbo: Any = TraceMeanField_ELBO()  # type: ignore[no-untyped-call]  # Pyro
    optimizer = Optimizer(module, guide, config, schedule=schedule, steps=steps)
    every = 1 if module.sees_pixels else STOP_EVERY
    for step, rows in enumerate(_batches(n, batch, steps)):
        if step % every == 0:
            if should_stop():
                raise RunStopped(f"training stopped after {step} of {steps} steps")
            progress(step / steps)
        drawn = labels.take(rows)
        phi, noise, observations = _forward(
            module, drawn, taught[:, rows], config, n=n, redshift=redshift
        )
        loss = elbo.differentiable_loss(
            joint_model, guide, phi, noise, observations, precision
        )
        optimizer.step(loss / n)
    optimizer.finish()
    progress(1.0)


def _batches(n: int, batch: int, steps: int) -> Iterator[Tensor]:
    """Rows of `steps` batches: passes over all labels, each in a new order."""
    rows = torch.empty(0, dtype=torch.int64)
    for _ in range(steps):
        if len(rows) < batch:
            rows = torch.randperm(n)
        yield rows[:batch]
        rows = rows[batch:]


def _forward(
    module: FusionNetwork,
    drawn: LabelTensors,
    taught: Tensor,
    config: ModelConfig,
    *,
    n: int,
    redshift: int | None,
) -> tuple[Tensor, Tensor, Observations]:
    rates = {name: getattr(config, f"{name}_dropout") for name in drawn.present}
    present = hide_modalities(
        drawn.present, rates, torch.default_generator, alone=config.alone
    )
    columns = augmented(drawn.columns, torch.default_generator)
    phi, log_noise = module(columns, present)
    noise = log_noise.exp()
    total = (noise + drawn.error_variance).detach()
    # Beta-NLL: the gradient of a noisy label is not drowned by that of precise ones.
    weights = drawn.weights * (n / len(drawn.values))
    scale = total**config.beta * weights[:, None]
    visible = drawn.observed & taught.unsqueeze(-1)  # M x N x T
    if redshift is not None and SPECTRUM in present:
        # Where the scan speaks for z, φ does not: so it is in the last layer, too.
        visible[:, :, redshift] &= ~(drawn.scanned & present[SPECTRUM])
    constant = torch.ones(*phi.shape[:2], 1)
    observations = Observations(drawn.values, drawn.error_variance, visible, scale)
    return torch.cat([phi, constant], dim=-1), noise, observations
