"""A scan against what a network says of the same object without its spectrum."""

import numpy as np
from numpy.typing import NDArray

from al_service.features.scanned_redshift import believed_redshifts
from al_service.posterior.scan_measurement import doubted
from al_service.studies.experiment.measurements import Measurements

Floats = NDArray[np.float64]


def contradicted(
    measurements: Measurements, center: Floats, variance: Floats
) -> NDArray[np.int64]:
    """Rows whose scan is believed by itself and doubted beside everything else.

    Args:
        measurements: of `N` objects.
        center: `N` predictions of log(1 + z) without the spectrum.
        variance: `N` their variances.
    """
    scan = believed_redshifts(measurements.inputs)
    if scan is None:
        return np.empty(0, dtype=np.int64)
    rows = np.flatnonzero(np.isfinite(scan[:, 0]))
    return rows[doubted(scan[rows], center[rows], variance[rows])]
