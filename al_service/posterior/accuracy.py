"""How well photometry alone predicts the redshifts of real galaxies.

On `sdss10k`: random labels train, other random galaxies examine; nothing else is
used, so that intervals are what the posterior says, without any calibration.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.errors import InvalidInput
from al_service.models.config import ModelConfig
from al_service.posterior.features import extract
from al_service.posterior.fitting import TrainingSet, fit_network
from al_service.posterior.predictions import Predictions
from al_service.posterior.teaching import fit_head
from al_service.survey.inputs import Inputs
from al_service.survey.sdss10k import TARGETS, read_sdss10k

N_LABELS: Final = 4_000
N_HELD_OUT: Final = 4_000

_MAD_TO_SIGMA: Final = 1.4826
"""Standard deviations of a Gaussian per median absolute deviation."""


@dataclass(frozen=True)
class PhotometryAccuracy:
    """Figures on galaxies that trained nothing, redshift errors as dz / (1 + z)."""

    rmse_norm: float
    sigma_mad: float
    coverage68: float
    """Share of labels within the uncalibrated central 68 % interval."""
    coverage95: float
    fit_seconds: float


def measure_photometry_accuracy(
    seeds: Sequence[int] = (0, 1, 2),
    *,
    config: ModelConfig | None = None,
    n_labels: int = N_LABELS,
) -> list[PhotometryAccuracy]:
    """Train and examine once per seed.

    Args:
        seeds: each draws its own labels and held-out galaxies and its own training.
        config: the model; default: `ModelConfig()`.
        n_labels: labels to train on.

    Returns:
        Figures in the order of the seeds.

    Raises:
        InvalidInput: labels and examining galaxies are more than there are.
    """
    columns, photometry = read_sdss10k()
    inputs = Inputs.of_photometry(photometry)
    most = len(inputs) - N_HELD_OUT
    if n_labels > most:
        raise InvalidInput(
            f"n_labels: expected at most {most} beside {N_HELD_OUT} galaxies that "
            f"examine, found {n_labels}"
        )
    return [
        _measure(seed, config or ModelConfig(), n_labels, inputs, columns.known_values)
        for seed in seeds
    ]


def _measure(
    seed: int,
    config: ModelConfig,
    n_labels: int,
    inputs: Inputs,
    redshifts: NDArray[np.float64],
) -> PhotometryAccuracy:
    order = np.random.default_rng(seed).permutation(len(inputs))
    labeled, held_out = order[:n_labels], order[-N_HELD_OUT:]
    unknown = np.full((n_labels, 1), np.nan)
    start = perf_counter()
    network = fit_network(
        TrainingSet(inputs.take(labeled), redshifts[labeled], unknown),
        targets=TARGETS,
        config=config,
        seed=seed,
        pool_inputs=inputs,
    )
    known = extract(network, inputs.take(labeled))
    head = fit_head(network, known, redshifts[labeled], unknown)
    seconds = perf_counter() - start
    predictions = head.predict(extract(network, inputs.take(held_out)))
    return _figures(predictions, redshifts[held_out], seconds)


def _figures(
    predictions: Predictions, truth: NDArray[np.float64], seconds: float
) -> PhotometryAccuracy:
    error = (predictions.mean - truth) / (1.0 + truth)
    spread = float(np.median(np.abs(error - np.median(error))))
    return PhotometryAccuracy(
        rmse_norm=float(np.sqrt(np.mean(error**2))),
        sigma_mad=_MAD_TO_SIGMA * spread,
        coverage68=_coverage(predictions, truth, 68),
        coverage95=_coverage(predictions, truth, 95),
        fit_seconds=seconds,
    )


def _coverage(
    predictions: Predictions, truth: NDArray[np.float64], level: int
) -> float:
    low, high = predictions.interval(level)
    return float(np.mean((low <= truth) & (truth <= high)))
