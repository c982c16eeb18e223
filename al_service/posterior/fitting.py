"""Labels and measurements become a network: stochastic variational inference.

The encoders and a mean-field guide of the last layer maximize the evidence lower
bound of `models/pyro_model.py` together. What the guide learned is thrown away: the
last layer's posterior is computed exactly afterwards (`posterior/closed_form.py`).
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyro
import torch
from numpy.typing import NDArray
from pyro.infer import TraceMeanField_ELBO
from torch import Tensor

from al_service.errors import RunStopped
from al_service.features.scaling import Scaler
from al_service.models.config import ModelConfig
from al_service.models.fusion import FusionNetwork, hide_modalities
from al_service.models.network import (
    MODALITIES,
    Network,
    modality_columns,
    raw_features,
    scaled_tensors,
)
from al_service.models.pyro_model import MeanFieldGuide, Observations, joint_model
from al_service.models.samples import WHITENING_SAMPLE, evenly
from al_service.models.targets_transform import TargetTransform
from al_service.models.whitening import Whitening
from al_service.posterior.closed_form import INTERCEPT_PRECISION
from al_service.posterior.held_aside import NoiseLevel, noise_level
from al_service.posterior.optimizing import Optimizer, one_thread
from al_service.survey.inputs import Inputs

STOP_EVERY: Final = 20
"""Optimizer steps between two looks at the stop signal: some hundredths of a second."""

NO_SPREAD: Final = 1e-9
"""Standard deviation of labels, in latent units or of their mean, that is rounding."""

TRAINING_PRECISION: Final = 1.0
"""Prior precision of the weights while encoders learn, per feature of a member."""


@dataclass(frozen=True)
class TrainingSet:
    """Labeled objects."""

    inputs: Inputs
    """`N` objects."""
    values: NDArray[np.float64]
    """`N x T` labels in the targets' units, NaN where unknown."""
    errors: NDArray[np.float64]
    """`N x T` their standard deviations, NaN where unknown."""
    weights: NDArray[np.float64] | None = None
    """`N` pool-density weights of mean 1; they enter the mean and the level of the
    noise, never the covariance."""
    group_ids: NDArray[np.str_] | None = None
    """`N` galaxies, which members see whole or not at all; None: each its own."""

    def __len__(self) -> int:
        return len(self.inputs)


@dataclass(frozen=True)
class _Labels:
    """The training set as tensors, latents of unit spread."""

    columns: Mapping[str, Tensor]
    present: Mapping[str, Tensor]
    values: Tensor
    error_variance: Tensor
    observed: Tensor
    weights: Tensor

    def take(self, rows: Tensor) -> "_Labels":
        return _Labels(
            {name: part[rows] for name, part in self.columns.items()},
            {name: part[rows] for name, part in self.present.items()},
            *(
                part[rows]
                for part in (
                    self.values,
                    self.error_variance,
                    self.observed,
                    self.weights,
                )
            ),
        )


def _never() -> bool:
    return False


def _say_nothing(_share: float) -> None:
    return None


def fit_network(
    training: TrainingSet,
    *,
    targets: tuple[str, ...],
    config: ModelConfig,
    seed: int,
    pool_inputs: Inputs | None = None,
    progress: Callable[[float], None] = _say_nothing,
    should_stop: Callable[[], bool] = _never,
) -> Network:
    """Train a network; the same arguments give the same network, bit for bit.

    Args:
        training: the labeled objects.
        targets: names of the `T` columns of the labels.
        config: sizes and schedule.
        seed: of everything random in the training.
        pool_inputs: unlabeled objects for the whitening; default: the labeled ones.
        progress: told the finished share now and then.
        should_stop: asked every few batches.

    Raises:
        RunStopped: `should_stop` said so.
    """
    if len(training) == 0:
        raise ValueError("training: expected at least one labeled object, found none")
    scalers = {
        name: Scaler.fit(columns)
        for name, columns in modality_columns(training.inputs).items()
        if name in MODALITIES
    }
    labels, center, spread = _labels(training, targets, scalers)
    # Pyro keeps parameters and torch a generator in globals: both are put back.
    # Its checks of every argument at every step cost as much as the gradients.
    with (
        one_thread(),
        torch.random.fork_rng(devices=[]),
        pyro.get_param_store().scope(),
        pyro.validation_enabled(is_validate=False),
    ):
        torch.manual_seed(seed)
        module = FusionNetwork(
            config,
            widths={name: part.shape[-1] for name, part in labels.columns.items()},
            n_latents=len(targets),
        )
        taught = _taught(_galaxies(training), config)
        _train(module, labels, taught, config, progress, should_stop)
        level = _noise_level(module, labels, taught, spread)
    module.requires_grad_(requires_grad=False).eval()
    phi, _ = raw_features(module, scalers, _whitening_rows(training, pool_inputs))
    return Network(
        config,
        targets,
        scalers,
        center,
        spread,
        level.scale,
        level.limits,
        module,
        Whitening.fit(phi),
    )


def _labels(
    training: TrainingSet, targets: tuple[str, ...], scalers: Mapping[str, Scaler]
) -> tuple[_Labels, NDArray[np.float64], NDArray[np.float64]]:
    values, errors, observed = TargetTransform(targets).forward(
        training.values, training.errors
    )
    seen = Scaler.fit(np.where(observed, values, np.nan))
    # Equal labels differ by rounding at most: no unit to divide by.
    constant = seen.spread <= NO_SPREAD * np.maximum(1.0, np.abs(seen.center))
    spread = np.where(constant, 1.0, seen.spread)
    latent = np.where(constant, 0.0, (values - seen.center) / spread)
    columns, present = scaled_tensors(scalers, training.inputs)
    weights = np.ones(len(training)) if training.weights is None else training.weights
    labels = _Labels(
        columns,
        present,
        _tensor(latent),
        _tensor((errors / spread) ** 2),
        torch.from_numpy(observed),
        _tensor(weights),
    )
    return labels, seen.center, spread


def _train(
    module: FusionNetwork,
    labels: _Labels,
    taught: Tensor,
    config: ModelConfig,
    progress: Callable[[float], None],
    should_stop: Callable[[], bool],
) -> None:
    """Maximize the evidence lower bound; the module ends with its averaged weights."""
    n, n_latents = labels.values.shape
    batch = min(config.batch, n)
    steps = max(config.min_steps, config.epochs * math.ceil(n / batch))
    dim = config.dim // config.members + 1
    guide = MeanFieldGuide(members=config.members, n_latents=n_latents, dim=dim)
    precision = torch.full((n_latents, dim), TRAINING_PRECISION)
    precision[:, -1] = INTERCEPT_PRECISION
    elbo: Any = TraceMeanField_ELBO()  # type: ignore[no-untyped-call]  # Pyro
    optimizer = Optimizer(module, guide, config, steps)
    for step, rows in enumerate(_batches(n, batch, steps)):
        if step % STOP_EVERY == 0:
            if should_stop():
                raise RunStopped(f"training stopped after {step} of {steps} steps")
            progress(step / steps)
        drawn = labels.take(rows)
        phi, noise, observations = _forward(module, drawn, taught[:, rows], config, n)
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
    module: FusionNetwork, drawn: _Labels, taught: Tensor, config: ModelConfig, n: int
) -> tuple[Tensor, Tensor, Observations]:
    rates = {name: getattr(config, f"{name}_dropout") for name in drawn.present}
    present = hide_modalities(drawn.present, rates, torch.default_generator)
    phi, log_noise = module(drawn.columns, present)
    noise = log_noise.exp()
    total = (noise + drawn.error_variance).detach()
    # Beta-NLL: the gradient of a noisy label is not drowned by that of precise ones.
    weights = drawn.weights * (n / len(drawn.values))
    scale = total**config.beta * weights[:, None]
    visible = drawn.observed & taught.unsqueeze(-1)  # M x N x T
    constant = torch.ones(*phi.shape[:2], 1)
    observations = Observations(drawn.values, drawn.error_variance, visible, scale)
    return torch.cat([phi, constant], dim=-1), noise, observations


def _galaxies(training: TrainingSet) -> Tensor:
    """`N` numbers of the galaxies, in the order of their first appearance."""
    if training.group_ids is None:
        return torch.arange(len(training))
    numbers: dict[str, int] = {}
    names = training.group_ids.tolist()
    return torch.tensor([numbers.setdefault(name, len(numbers)) for name in names])


def _taught(galaxies: Tensor, config: ModelConfig) -> Tensor:
    """Which labels each member sees, `M x N`: everyone misses other galaxies.

    A second spectrum of a galaxy that a member has seen would flatter the noise.
    """
    count = int(galaxies.max()) + 1
    held = round(count * config.held_aside)
    order = torch.randperm(count)
    taught = torch.ones(config.members, len(galaxies), dtype=torch.bool)
    for member in range(config.members):
        taught[member] = ~torch.isin(galaxies, order.roll(-member * held)[:held])
    return taught


def _noise_level(
    module: FusionNetwork,
    labels: _Labels,
    taught: Tensor,
    spread: NDArray[np.float64],
) -> NoiseLevel:
    with torch.no_grad():
        phi, log_noise = module(labels.columns, labels.present)
    return noise_level(
        phi.double().numpy(),
        labels.values.double().numpy(),
        log_noise.double().mean(dim=0).numpy(),
        labels.error_variance.double().numpy(),
        observed=labels.observed.numpy(),
        taught=taught.numpy(),
        spread=spread,
        weights=labels.weights.double().numpy(),
    )


def _whitening_rows(training: TrainingSet, pool_inputs: Inputs | None) -> Inputs:
    inputs = training.inputs if pool_inputs is None else pool_inputs
    return inputs.take(evenly(np.arange(len(inputs)), WHITENING_SAMPLE))


def _tensor(array: NDArray[np.float64]) -> Tensor:
    return torch.from_numpy(array.astype(np.float32))
