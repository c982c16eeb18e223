"""Catalog fluxes become numbers that a network can compare.

Luptitudes (Lupton, Gunn & Szalay 1999) instead of magnitudes, because a noisy flux
may be negative; everything is corrected for Galactic extinction.
"""

from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from al_service.survey.magnitudes import SOFTENING, luptitude
from al_service.survey.photometry_columns import (
    BANDS,
    EXTINCTION,
    MODEL_FLUX,
    MODEL_FLUX_ERROR,
    PETRO_FLUX,
    PETRO_FLUX_ERROR,
)

PHOTOMETRY_FEATURES: Final[tuple[str, ...]] = (
    *(f"luptitude_{band}" for band in BANDS),
    *(f"color_{a}{b}" for a, b in pairwise(BANDS)),
    *(f"log_error_{band}" for band in BANDS),
    *(f"petro_minus_model_{band}" for band in BANDS),
    *(f"petro_log_error_{band}" for band in BANDS),
    *(f"missing_model_{band}" for band in BANDS),
    *(f"missing_petro_{band}" for band in BANDS),
)


def photometry_features(
    photometry: NDArray[np.floating[Any]],
) -> NDArray[np.float64]:
    """Luptitudes, colors, relative errors, Petrosian minus model magnitudes.

    Args:
        photometry: `N x P`, the columns of `PHOTOMETRY_COLUMNS`.

    Returns:
        `N x F`, the columns of `PHOTOMETRY_FEATURES`: magnitudes, natural logarithms
        of relative errors, and 0/1 flags. NaN where a flux is missing.
    """
    columns = np.asarray(photometry, dtype=np.float64)
    # Where extinction is unknown the flux is taken as it is.
    transmission = 10.0 ** (0.4 * np.nan_to_num(columns[:, EXTINCTION]))
    model = columns[:, MODEL_FLUX] * transmission
    petro = columns[:, PETRO_FLUX] * transmission
    magnitude = luptitude(model)
    return np.concatenate(
        [
            magnitude,
            magnitude[:, :-1] - magnitude[:, 1:],
            _log_relative_error(model, columns[:, MODEL_FLUX_ERROR] * transmission),
            luptitude(petro) - magnitude,
            _log_relative_error(petro, columns[:, PETRO_FLUX_ERROR] * transmission),
            np.isnan(model).astype(np.float64),
            np.isnan(petro).astype(np.float64),
        ],
        axis=1,
    )


def signal_to_noise(photometry: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """`N` ratios of flux to error in r, NaN where either is missing.

    Args:
        photometry: `N x P`, the columns of `PHOTOMETRY_COLUMNS`.
    """
    columns = np.asarray(photometry, dtype=np.float64)
    middle = BANDS.index("r")
    error = columns[:, MODEL_FLUX_ERROR][:, middle]
    known = error > 0
    ratio = np.full(len(columns), np.nan)
    ratio[known] = columns[known, MODEL_FLUX][:, middle] / error[known]
    return ratio


def magnitude(photometry: NDArray[np.floating[Any]], band: str) -> NDArray[np.float64]:
    """`N` luptitudes, corrected for extinction; NaN where the flux is missing.

    Args:
        photometry: `N x P`, the columns of `PHOTOMETRY_COLUMNS`.
        band: one of `BANDS`.
    """
    features = photometry_features(photometry)
    return features[:, PHOTOMETRY_FEATURES.index(f"luptitude_{band}")]


def _log_relative_error(
    flux: NDArray[np.float64], error: NDArray[np.float64]
) -> NDArray[np.float64]:
    # The derivative of the luptitude has the softened flux in its denominator.
    relative: NDArray[np.float64] = error / np.hypot(flux, 2.0 * SOFTENING)
    return np.log(relative)
