"""The real galaxies that a simulated survey is made of, freed of their noise.

Each galaxy's fluxes are fitted by a non-negative sum of templates at its redshift. What
the fit leaves is the template's fault as far as it exceeds the errors: that part stays
with the galaxy, the noise does not.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.optimize import nnls

from al_service.survey.photometry_columns import (
    EXTINCTION,
    MODEL_FLUX,
    MODEL_FLUX_ERROR,
    PETRO_FLUX_ERROR,
)
from al_service.survey.sdss10k import read_sdss10k
from al_service.survey.simulation.settings import AnchorSettings
from al_service.survey.simulation.starlight import flux_table

_LARGEST_RESIDUAL: Final = 0.15
"""Logarithm of a flux; further off is a bad measurement, no galaxy."""

_LEAST_GOOD_BANDS: Final = 3
"""With fewer a fit by five populations says nothing."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Anchors:
    """`A` real galaxies."""

    group_ids: NDArray[np.str_]
    """`A` galaxies by the names that they have in `sdss10k`."""
    ra: Floats
    """`A`, ICRS degrees."""
    dec: Floats
    """`A`, ICRS degrees."""
    redshift: Floats
    """`A`."""
    weights: Floats
    """`A x K` solar masses that at 10 pc give the flux, but for Galactic dust."""
    residual: Floats
    """`A x B` natural logarithm of true over template flux."""
    extinction: Floats
    """`A x B` magnitudes."""
    model_error: Floats
    """`A x B` nanomaggies, NaN where there was no measurement."""
    petro_error: Floats
    """`A x B` nanomaggies, NaN where there was no measurement."""

    def __len__(self) -> int:
        return len(self.redshift)

    def take(self, rows: NDArray[np.int64]) -> "Anchors":
        """Some of the galaxies, in the order of their rows."""
        return Anchors(
            **{name: getattr(self, name)[rows] for name in Anchors.__dataclass_fields__}
        )


@cache
def read_anchors(settings: AnchorSettings) -> Anchors:
    """Fit the galaxies of `sdss10k`: a second, once in a process."""
    columns, photometry = read_sdss10k()
    table = photometry.astype(np.float64)
    redshift = columns.known_values[:, 0]
    extinction = np.nan_to_num(table[:, EXTINCTION])
    clear = 10.0 ** (0.4 * extinction)
    flux, error = table[:, MODEL_FLUX] * clear, table[:, MODEL_FLUX_ERROR] * clear
    good = np.isfinite(flux) & np.isfinite(error) & (flux > 0)
    relative = np.where(good, error / np.where(good, flux, 1.0), np.inf)
    floor = np.maximum(relative, settings.smallest_relative_error)
    weights, predicted = _fit(flux, floor, flux_table(redshift))
    with np.errstate(divide="ignore", invalid="ignore"):
        residual = np.where(good, np.log(flux / predicted), 0.0)
    trust = settings.template_scatter**2 / (settings.template_scatter**2 + relative**2)
    residual = np.clip(
        np.nan_to_num(residual) * trust, -_LARGEST_RESIDUAL, _LARGEST_RESIDUAL
    )
    fitted = (good.sum(axis=1) >= _LEAST_GOOD_BANDS) & (predicted > 0).all(axis=1)
    return Anchors(
        group_ids=columns.group_ids,
        ra=columns.ra,
        dec=columns.dec,
        redshift=redshift,
        weights=weights,
        residual=residual,
        extinction=extinction,
        model_error=table[:, MODEL_FLUX_ERROR],
        petro_error=table[:, PETRO_FLUX_ERROR],
    ).take(np.flatnonzero(fitted))


def draw_anchors(
    anchors: Anchors, first: int, count: int, *, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which galaxies the objects `first` to `first + count` are made of.

    Every galaxy is used once before any is used again, in an order of chance.

    Returns:
        `count` rows of the anchors, and how often each was used before.
    """
    numbers = np.arange(first, first + count)
    rounds, places = np.divmod(numbers, len(anchors))
    rows = np.empty(count, dtype=np.int64)
    for number in np.unique(rounds):
        order = np.random.default_rng([seed, int(number)]).permutation(len(anchors))
        of_round = rounds == number
        rows[of_round] = order[places[of_round]]
    return rows, rounds


def perturbed(
    galaxies: Anchors,
    again: NDArray[np.bool_],
    settings: AnchorSettings,
    generator: Generator,
) -> Anchors:
    """Galaxies that come again, a little further, brighter and bluer or less so.

    Args:
        galaxies: `N`.
        again: `N` whether each was used before; others stay as they are.
        settings: by how much.
        generator: of all chance.
    """
    n, k = galaxies.weights.shape
    stretch = np.exp(generator.normal(0.0, settings.jitter_redshift, n))
    shifted = np.maximum(
        (1.0 + galaxies.redshift) * stretch - 1.0, 0.2 * galaxies.redshift
    )
    redshift = np.where(again, shifted, galaxies.redshift)
    dex = generator.normal(0.0, settings.jitter_luminosity, (n, 1))
    dex = dex + generator.normal(0.0, settings.jitter_populations, (n, k))
    nearer = (galaxies.redshift / redshift) ** 2  # Hubble's law: both are near
    factor = np.where(again[:, None], 10.0**dex * nearer[:, None], 1.0)
    changed = galaxies.weights * factor
    parts = {name: getattr(galaxies, name) for name in Anchors.__dataclass_fields__}
    return Anchors(**{**parts, "redshift": redshift, "weights": changed})


def _fit(flux: Floats, relative: Floats, table: Floats) -> tuple[Floats, Floats]:
    """Non-negative least squares of every galaxy: weights and the fluxes they give."""
    scale = np.nanmax(np.where(np.isfinite(flux), flux, np.nan), axis=1)
    unit = table.mean(axis=2)  # populations of a mass differ by orders of magnitude
    weights = np.zeros(table.shape[:2])
    for i in range(len(flux)):
        known = np.isfinite(relative[i])
        sigma = relative[i, known] * flux[i, known] / scale[i]
        design = (table[i][:, known] / unit[i][:, None]).T / sigma[:, None]
        found, _ = nnls(design, flux[i, known] / scale[i] / sigma)
        weights[i] = found * scale[i] / unit[i]
    return weights, np.einsum("nk,nkb->nb", weights, table)
