"""Labels and measurements become a network: stochastic variational inference.

The encoders and a mean-field guide of the last layer maximize the evidence lower
bound of `models/pyro_model.py` together. What the guide learned is thrown away: the
last layer's posterior is computed exactly afterwards (`posterior/closed_form.py`).
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyro
import torch
from numpy.typing import NDArray
from torch import Tensor

from al_service.features.preparation import PIXELS_OF
from al_service.features.scaling import Scaler
from al_service.models.config import ModelConfig
from al_service.models.fusion import FusionNetwork
from al_service.models.network import ALL_BUT_SPECTRUM, Network, raw_features
from al_service.models.samples import WHITENING_SAMPLE, evenly
from al_service.models.targets_transform import TargetTransform
from al_service.models.whitening import Whitening
from al_service.posterior.features import PIXEL_CHUNK_ROWS
from al_service.posterior.label_tensors import (
    Gathered,
    LabelTensors,
    gather,
    scaled,
)
from al_service.posterior.noise_scaling import level_of_noise, wider_limits
from al_service.posterior.optimizing import one_thread
from al_service.posterior.training import train
from al_service.survey.inputs import Measured, Modality
from al_service.survey.targets import Target

PIXEL_WHITENING_SAMPLE: Final = 4096
"""Unlabeled objects with pixels that set a scale: every one costs a hundred times as
much as one with photometry, and sixteen for each of 256 features do."""

RARE: Final = 0.02
"""Share of the pool below which a pattern of modalities has no last layer of its own:
every one is a copy of the cached features."""


@dataclass(frozen=True)
class TrainingSet:
    """Labeled objects."""

    inputs: Measured
    """`N` objects, in memory or on disk."""
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
    pool_inputs: Measured | None = None,
    patterns: Collection[int] | None = None,
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
        patterns: unions of `Modality` that will be asked about; default: those that are
            not rare among `pool_inputs`.
        progress: told the finished share now and then.
        should_stop: asked every few batches.

    Raises:
        RunStopped: `should_stop` said so.
    """
    if len(training) == 0:
        raise ValueError("training: expected at least one labeled object, found none")
    gathered = gather(training.inputs, config)
    scalers, columns = scaled(gathered)
    labels, center, spread = _labels(training, targets, gathered, columns)
    with _own_world(gathered, seed):
        module = FusionNetwork(
            config,
            widths={name: len(scaler.center) for name, scaler in scalers.items()},
            n_latents=len(targets),
        )
        taught = _taught(_galaxies(training), config, shared=module.sees_pixels)
        redshift = targets.index(Target.Z) if Target.Z in targets else None
        train(
            module,
            labels,
            config,
            taught=taught,
            redshift=redshift,
            progress=progress,
            should_stop=should_stop,
        )
        level = level_of_noise(module, labels, taught, spread, redshift)
    module.requires_grad_(requires_grad=False).eval()
    pool = training.inputs if pool_inputs is None else pool_inputs
    phi, found = _pool_sample(module, scalers, pool)
    asked = found if patterns is None else patterns
    partial = partial_patterns(module.everything, asked)
    limits = wider_limits(level.limits, module, labels, partial)
    return Network(
        config,
        targets,
        scalers,
        center,
        spread,
        level.scale,
        limits,
        module,
        Whitening.fit(phi),
        partial,
    )


@contextmanager
def _own_world(gathered: Gathered, seed: int) -> Iterator[None]:
    """Chance and parameters of one training; the globals are put back.

    Pyro keeps parameters and torch a generator in globals. Pyro's checks of every
    argument at every step cost as much as the gradients.
    """
    with (
        _threads(gathered),
        torch.random.fork_rng(devices=[]),
        pyro.get_param_store().scope(),
        pyro.validation_enabled(is_validate=False),
    ):
        torch.manual_seed(seed)
        yield


def _threads(gathered: Gathered) -> AbstractContextManager[None]:
    """Convolutions are the one thing here that a second core is worth."""
    pixels = any(name in gathered.present for name in PIXELS_OF)
    return nullcontext() if pixels else one_thread()


def _labels(
    training: TrainingSet,
    targets: tuple[str, ...],
    gathered: Gathered,
    columns: Mapping[str, Tensor],
) -> tuple[LabelTensors, NDArray[np.float64], NDArray[np.float64]]:
    values, errors, observed = TargetTransform(targets).forward(
        training.values, training.errors
    )
    seen = Scaler.fit(np.where(observed, values, np.nan))
    constant = seen.spread == 0.0  # no unit to divide by
    spread = np.where(constant, 1.0, seen.spread)
    latent = np.where(constant, 0.0, (values - seen.center) / spread)
    present = {name: torch.from_numpy(part) for name, part in gathered.present.items()}
    weights = np.ones(len(training)) if training.weights is None else training.weights
    labels = LabelTensors(
        columns,
        present,
        torch.from_numpy(gathered.scanned),
        _tensor(latent),
        _tensor((errors / spread) ** 2),
        torch.from_numpy(observed),
        _tensor(weights),
    )
    return labels, seen.center, spread


def _galaxies(training: TrainingSet) -> Tensor:
    """`N` numbers of the galaxies, in the order of their first appearance."""
    if training.group_ids is None:
        return torch.arange(len(training))
    numbers: dict[str, int] = {}
    names = training.group_ids.tolist()
    return torch.tensor([numbers.setdefault(name, len(numbers)) for name in names])


def _taught(galaxies: Tensor, config: ModelConfig, *, shared: bool = False) -> Tensor:
    """Which labels each member sees, `M x N`: everyone misses other galaxies.

    A second spectrum of a galaxy that a member has seen would flatter the noise, and so
    would convolutions that another member has taught: where they are shared, all
    members miss the same galaxies.
    """
    count = int(galaxies.max()) + 1
    held = round(count * config.held_aside)
    order = torch.randperm(count)
    taught = torch.ones(config.members, len(galaxies), dtype=torch.bool)
    for member in range(config.members):
        first = 0 if shared else -member * held
        taught[member] = ~torch.isin(galaxies, order.roll(first)[:held])
    return taught


def _pool_sample(
    module: FusionNetwork, scalers: Mapping[str, Scaler], measured: Measured
) -> tuple[NDArray[np.float32], list[int]]:
    """Raw features `N x D` of objects that represent the pool, and what they have."""
    most = PIXEL_WHITENING_SAMPLE if module.sees_pixels else WHITENING_SAMPLE
    rows = evenly(np.arange(len(measured)), most)
    step = PIXEL_CHUNK_ROWS if module.sees_pixels else WHITENING_SAMPLE
    phi, patterns = [], []
    for start in range(0, len(rows), step):
        inputs = measured.take(rows[start : start + step])
        phi.append(raw_features(module, scalers, inputs).seen[0])
        patterns.append(inputs.patterns & module.everything)
    found, counts = np.unique(np.concatenate(patterns), return_counts=True)
    return np.concatenate(phi), found[counts >= RARE * len(rows)].tolist()


def partial_patterns(everything: int, asked: Collection[int]) -> tuple[int, ...]:
    """Patterns that have a last layer of their own, beside the two that always have.

    Args:
        everything: union of `Modality`: what a network looks at.
        asked: unions of `Modality` that objects have.
    """
    own = {pattern & everything for pattern in asked} - {0}
    # What is known of an object whose scan is doubted; and labels of objects with a
    # scan teach z by it.
    own |= {one & ALL_BUT_SPECTRUM for one in own if one & Modality.SPECTRUM}
    return tuple(sorted(own - {everything, everything & ALL_BUT_SPECTRUM}))


def _tensor(array: NDArray[np.float64]) -> Tensor:
    return torch.from_numpy(array.astype(np.float32))
