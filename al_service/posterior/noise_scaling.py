"""The noise that a trained network predicts, at the level that its labels show."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from al_service.models.fusion import FusionNetwork
from al_service.models.network import ALL_BUT_SPECTRUM
from al_service.posterior.features import PIXEL_CHUNK_ROWS
from al_service.posterior.held_aside import NoiseLevel, noise_level
from al_service.posterior.label_tensors import LabelTensors


def wider_limits(
    limits: NDArray[np.float64],
    module: FusionNetwork,
    labels: LabelTensors,
    patterns: Sequence[int],
) -> NDArray[np.float64]:
    """Limits of log s² that also hold for labels of which only a part is shown.

    A latent whose two limits are one has too few labels, or equal ones: nothing that
    the network says of its noise was ever examined, and it stays as it is.

    Args:
        limits: `T x 2` over the labels as they are.
        module: trained.
        labels: `N` labeled objects.
        patterns: unions of `Modality`: what is shown.

    Returns:
        `T x 2`.
    """
    if not patterns:
        return limits
    examined = limits[:, 0] < limits[:, 1]
    low, high = limits[:, 0].copy(), limits[:, 1].copy()
    with torch.no_grad():
        for some in labels.parts(PIXEL_CHUNK_ROWS):
            parts = module.encode(some.columns, some.present)
            vouched = some.observed.numpy() & examined  # N x T
            for pattern in patterns:
                _, log_noise = module.join(module.showing(parts, pattern))
                said = log_noise.double().mean(dim=0).numpy()
                low = np.minimum(low, np.where(vouched, said, np.inf).min(axis=0))
                high = np.maximum(high, np.where(vouched, said, -np.inf).max(axis=0))
    return np.stack([low, high], axis=1)


def level_of_noise(
    module: FusionNetwork,
    labels: LabelTensors,
    taught: Tensor,
    spread: NDArray[np.float64],
    redshift: int | None,
) -> NoiseLevel:
    """The noise of every latent; that of z as it is where no scan speaks for it.

    Args:
        module: trained.
        labels: `N` labeled objects.
        taught: `M x N` flags: which labels each member has seen.
        spread: `T` unit of the latents.
        redshift: column of z among the latents, if it is a target.
    """
    size = PIXEL_CHUNK_ROWS if module.sees_pixels else len(labels)
    seen, blind = [], []
    with torch.no_grad():
        for some in labels.parts(size):
            parts = module.encode(some.columns, some.present)
            seen.append(module.join(parts))
            blind.append(module.join(module.showing(parts, ALL_BUT_SPECTRUM)))
    level = _level(seen, labels, taught, spread)
    if redshift is None or not bool(labels.scanned.any()):
        return level
    unseen = _level(blind, labels, taught, spread, column=redshift)
    level.scale[redshift] = unseen.scale[0]
    level.limits[redshift] = unseen.limits[0]
    return level


def _level(
    encoded: Sequence[tuple[Tensor, Tensor]],
    labels: LabelTensors,
    taught: Tensor,
    spread: NDArray[np.float64],
    *,
    column: int | None = None,
) -> NoiseLevel:
    """The noise of all latents, or of one."""
    phi = torch.cat([part for part, _ in encoded], dim=1)
    log_noise = torch.cat([part for _, part in encoded], dim=1)
    some = slice(None) if column is None else slice(column, column + 1)
    return noise_level(
        phi.double().numpy(),
        labels.values.double().numpy()[:, some],
        log_noise.double().mean(dim=0).numpy()[:, some],
        labels.error_variance.double().numpy()[:, some],
        observed=labels.observed.numpy()[:, some],
        taught=taught.numpy(),
        spread=spread[some],
        weights=labels.weights.double().numpy(),
    )
