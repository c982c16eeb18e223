"""When the redshift of a scan is a measurement of z, and how good a one."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.survey.inputs import Inputs

BELIEVED_FROM: Final = 0.9
"""Confidence from which a scan speaks for z. A wrong scan is off by tenths, and one in
ten of them costs more than an image's redshift; what is less sure stays a feature."""


def believed_redshifts(inputs: Inputs) -> NDArray[np.float64] | None:
    """The scan as a measurement, where it is believed.

    Args:
        inputs: `N` objects.

    Returns:
        `N x 3`: log(1 + z), its variance and the confidence, NaN where no scan is
        believed; None where nobody has scanned.
    """
    if inputs.scan is None:
        return None
    z, error, confidence = inputs.scan.T
    known = np.isfinite(z) & np.isfinite(error) & (confidence >= BELIEVED_FROM)
    if inputs.has_spectrum is not None:
        known &= inputs.has_spectrum
    safe, spread = np.where(known, z, 0.0), np.where(known, error, 1.0)
    variance = (spread / (1.0 + safe)) ** 2
    measured = np.stack([np.log1p(safe), variance, confidence], axis=1)
    return np.where(known[:, None], measured, np.nan)
