"""Catalog photometry of simulated galaxies: fluxes with the errors of real ones."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from al_service.survey.simulation.galaxies import Galaxies
from al_service.survey.simulation.settings import PhotometrySettings
from al_service.survey.simulation.shapes import Shapes


def measure_photometry(
    galaxies: Galaxies,
    shapes: Shapes,
    settings: PhotometrySettings,
    generator: Generator,
) -> NDArray[np.float32]:
    """Model and Petrosian fluxes, their errors, and extinction.

    Errors are those of the real galaxy; what it lacks is missing here, too.

    Args:
        galaxies: `N`.
        shapes: bulges lose more of their light than disks.
        settings: how much.
        generator: of all chance.

    Returns:
        `N x P`, the columns of `PHOTOMETRY_COLUMNS`.
    """
    anchors, flux = galaxies.anchors, galaxies.flux
    n, b = flux.shape
    bulge = shapes.bulge_share
    held = settings.petrosian_bulge * bulge + settings.petrosian_disk * (1.0 - bulge)
    noise = generator.standard_normal((2, n, b))
    model = flux + anchors.model_error * noise[0]
    petro = flux * held + anchors.petro_error * noise[1]
    columns = np.concatenate(
        [model, anchors.model_error, petro, anchors.petro_error, anchors.extinction], 1
    )
    return columns.astype(np.float32)
