"""What the templates make of a spectrum at one redshift, in the unit of its flux."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from al_service.features.scan.continuum import Prepared, prepare
from al_service.features.scan.templates import (
    GALAXY_REDSHIFTS,
    SpectralClass,
    TemplateSet,
    galaxies_with_broad_lines,
    template_sets,
)


def fit_spectrum(
    flux: NDArray[np.floating[Any]],
    ivar: NDArray[np.floating[Any]],
    *,
    z: float,
    spectral_class: SpectralClass,
) -> NDArray[np.float64]:
    """The best sum of a class's templates at a redshift, on the spectrum's continuum.

    Amplitudes are not negative. What is slow in the spectrum was no part of the scan:
    the fit takes it from the spectrum itself.

    Args:
        flux: `L`, any unit.
        ivar: `L`, inverse variance; 0 for pixels not to be used.
        z: of a candidate.
        spectral_class: of the candidate.

    Returns:
        `L` in the unit of the flux.
    """
    prepared = prepare(flux[None], ivar[None])
    chosen = [_fitted(one, prepared, z) for one in _sets(spectral_class, z)]
    _, best = min(chosen, key=lambda fit: fit[0])
    return np.asarray((prepared.continuum[0] + best) * prepared.unit[0])


def _sets(spectral_class: SpectralClass, z: float) -> list[TemplateSet]:
    found = [one for one in template_sets() if one.spectral_class is spectral_class]
    if spectral_class is SpectralClass.QSO and z <= GALAXY_REDSHIFTS[1]:
        # A galaxy with broad lines is called a quasar, too.
        found.append(galaxies_with_broad_lines())
    return found


def _fitted(
    templates: TemplateSet, prepared: Prepared, z: float
) -> tuple[float, NDArray[np.float64]]:
    """What is left of chi^2, and the sum of templates that leaves it, `L`."""
    root = np.sqrt(prepared.weight[0].astype(np.float64))
    shapes = templates.at_redshift(z)
    amplitude, left = nnls((shapes * root).T, prepared.residual[0] * root)
    return float(left), np.asarray(amplitude @ shapes)
