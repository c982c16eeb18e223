"""A made-up survey whose answers are known, small enough for every test."""

import numpy as np
from numpy.typing import NDArray

from al_service.models.config import ModelConfig
from al_service.posterior.fitting import TrainingSet
from al_service.survey.inputs import Inputs
from al_service.survey.photometry_columns import PHOTOMETRY_COLUMNS
from al_service.survey.targets import DEFAULT_TARGETS

Floats = NDArray[np.float64]

TINY = ModelConfig(dim=32, members=2, hidden=16, noise_hidden=8, min_steps=60, epochs=1)


def survey(n: int, seed: int = 0) -> tuple[Inputs, Floats]:
    """Galaxies whose colors tell all nine targets, but for some noise.

    Returns:
        `N` objects and `N x 9` labels.
    """
    generator = np.random.default_rng(seed)
    z = generator.uniform(0.02, 0.4, n)
    sfr = generator.normal(0.0, 0.5, n)
    magnitude = 18.0 + 5.0 * np.log10(z / 0.1) + generator.normal(0, 0.3, n)
    bands = magnitude[:, None] + np.outer(1.0 - z, [2.0, 1.0, 0.0, -0.4, -0.7])
    bands[:, 0] -= 0.5 * sfr
    flux = 10.0 ** (0.4 * (22.5 - bands))
    photometry = np.empty((n, len(PHOTOMETRY_COLUMNS)))
    photometry[:, 0:5] = flux * generator.normal(1.0, 0.01, (n, 5))
    photometry[:, 10:15] = flux * generator.normal(1.0, 0.02, (n, 5))
    photometry[:, 5:10], photometry[:, 15:20] = 0.01 * flux, 0.02 * flux
    photometry[:, 20:25] = 0.0
    label = {
        "z": z,
        "sfr_avg": sfr + 0.02,
        "sfr_entropy": 3.0 + 0.1 * sfr,
        "sfr_median": sfr,
        "sfr_mode": sfr - 0.05,
        "sfr_p16": sfr - 0.3,
        "sfr_p2p5": sfr - 0.6 - 0.1 * z,
        "sfr_p84": sfr + 0.25,
        "sfr_p97p5": sfr + 0.5 + 0.1 * z,
    }
    values = np.column_stack([label[target] for target in DEFAULT_TARGETS])
    return Inputs.of_photometry(photometry), values


def training_set(n: int, targets: tuple[str, ...] = ("z",)) -> TrainingSet:
    """Labels of the first `n` galaxies for some targets, errors unknown."""
    inputs, values = survey(n)
    some = values[:, [DEFAULT_TARGETS.index(target) for target in targets]]
    return TrainingSet(inputs, some, np.full(some.shape, np.nan))
