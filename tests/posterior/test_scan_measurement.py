"""Scans as measurements: how precise, and when they are doubted."""

import numpy as np
import pytest

from al_service.posterior.scan_measurement import doubted


def _doubted(*, z: float, center: float, confidence: float = 0.99) -> bool:
    scan = np.array([[np.log1p(z), 1e-8, confidence]], dtype=np.float32)
    found = doubted(scan, np.array([np.log1p(center)]), np.array([0.02**2]))
    return bool(found[0])


@pytest.mark.parametrize(
    ("z", "confidence", "expected"),
    [
        (0.10, 0.99, False),
        (0.16, 0.99, False),  # three standard deviations: fluxes stray so far
        (0.30, 0.90, True),
        (0.30, 0.99, False),
        (1.20, 0.99, True),
    ],
)
def test_a_scan_is_doubted_where_it_is_less_likely_than_a_wrong_one(
    z: float, confidence: float, expected: bool
) -> None:
    assert _doubted(z=z, center=0.10, confidence=confidence) is expected


def test_a_perfectly_sure_scan_is_never_doubted() -> None:
    assert not _doubted(z=3.0, center=0.10, confidence=1.0)
