"""A pool on disk as large as one likes: real galaxies, repeated with new noise."""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.survey import sdss10k
from al_service.survey.photometry_columns import (
    MODEL_FLUX,
    MODEL_FLUX_ERROR,
    PETRO_FLUX,
    PETRO_FLUX_ERROR,
)
from al_service.survey.pool_arrays import PoolColumns, write_pool_arrays
from al_service.survey.targets import DEFAULT_TARGETS, Target

_SKY_SIDE: Final = 2000
"""Objects per degree-wide strip of the grid on which copies are laid out."""

_OFFSETS: Final = {
    Target.SFR_AVG: 0.02,
    Target.SFR_MEDIAN: 0.0,
    Target.SFR_MODE: -0.03,
    Target.SFR_P2P5: -0.8,
    Target.SFR_P16: -0.4,
    Target.SFR_P84: 0.4,
    Target.SFR_P97P5: 0.8,
}
"""Where the statistics of a posterior of log SFR lie around its median, dex."""


def write_large_pool(path: Path, n_objects: int, *, seed: int = 0) -> None:
    """Write a pool with photometry and known labels of all nine targets.

    The star-formation rates are made up from redshift and brightness: what they are
    does not matter here, how many they are does.

    Args:
        path: the folder to create.
        n_objects: how many.
        seed: of the copies' noise.
    """
    generator = np.random.default_rng(seed)
    real, photometry = sdss10k.read_sdss10k()
    source = np.arange(n_objects) % len(photometry)
    fluxes = photometry[source]
    for flux, error in (
        (MODEL_FLUX, MODEL_FLUX_ERROR),
        (PETRO_FLUX, PETRO_FLUX_ERROR),
    ):
        noise = generator.standard_normal((n_objects, 5), dtype=np.float32)
        fluxes[:, flux] += noise * fluxes[:, error]
    names = np.array([f"copy-{number:08d}" for number in range(n_objects)])
    values = _targets(real.known_values[source, 0], fluxes, generator)
    write_pool_arrays(
        path,
        PoolColumns(
            object_ids=names,
            group_ids=names,
            ra=(np.arange(n_objects) % _SKY_SIDE) * 360.0 / _SKY_SIDE,
            dec=np.linspace(-60.0, 60.0, n_objects),
            known_values=values,
            known_errors=np.full(values.shape, np.nan),
        ),
        photometry=fluxes,
        targets=DEFAULT_TARGETS,
    )


def _targets(
    redshift: NDArray[np.float64],
    fluxes: NDArray[np.float32],
    generator: np.random.Generator,
) -> NDArray[np.float64]:
    """`N x 9` labels that are valid and can be learned."""
    brightness = np.log10(np.maximum(np.nan_to_num(fluxes[:, MODEL_FLUX]), 0.1))
    median = 2.0 * np.log10(np.maximum(redshift, 1e-3)) + brightness[:, 0]
    median = np.clip(median + 0.2 * generator.standard_normal(len(median)), -4.0, 2.0)
    width = np.exp(0.2 * generator.standard_normal(len(median)))
    columns = {target: median + width * shift for target, shift in _OFFSETS.items()}
    columns[Target.Z] = redshift
    columns[Target.SFR_ENTROPY] = -1.5 - np.log(width)
    return np.stack([columns[Target(target)] for target in DEFAULT_TARGETS], axis=1)
