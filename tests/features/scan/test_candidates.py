"""From a curve of gains to a list of answers."""

import numpy as np
import pytest

from al_service.features.scan.candidates import Candidate, distinct, peaks
from al_service.features.scan.templates import SpectralClass, template_sets

GALAXIES = template_sets()[0]


def bump(*places: tuple[float, float]) -> np.ndarray:
    """Gains with parabolic peaks of given height at given shifts."""
    shifts = np.arange(GALAXIES.n_shifts)
    total = np.zeros(GALAXIES.n_shifts)
    for height, place in places:
        total = np.maximum(total, height - 5.0 * (shifts - place) ** 2)
    return total.astype(np.float32)


def candidate(z: float, score: float, name: str = "GALAXY") -> Candidate:
    return Candidate(z, 1e-8, SpectralClass(name), score + 5.0, score)


def test_a_peak_between_pixels_is_found_between_them() -> None:
    (best, *_) = peaks(GALAXIES, bump((1000.0, 500.3)))
    exact = float(GALAXIES.redshift(np.array(500.3)))
    assert best.z == pytest.approx(exact, abs=1e-6)
    # chi^2 rises by 1 at sqrt(1 / 5) pixels of 2e-4 dex.
    pixel = np.log(10) * GALAXIES.step
    expected = (1 + exact) * np.hypot(pixel / np.sqrt(5.0), 6e-5)
    assert np.sqrt(best.variance) == pytest.approx(expected, rel=5e-3)


def test_peaks_come_by_height_and_apart() -> None:
    found = peaks(GALAXIES, bump((50.0, 100), (80.0, 900), (70.0, 905)))
    assert [round(c.gain) for c in found[:2]] == [80, 50]


def test_a_peak_at_the_edge_of_the_range_says_that_it_knows_little() -> None:
    (best, *_) = peaks(GALAXIES, bump((1000.0, 0)))
    assert np.sqrt(best.variance) > 1e-3


def test_no_gain_is_no_candidate() -> None:
    assert peaks(GALAXIES, np.zeros(GALAXIES.n_shifts, dtype=np.float32)) == []


def test_of_two_classes_at_one_redshift_the_better_stays() -> None:
    kept = distinct(
        [
            candidate(0.5, 10.0),
            candidate(0.512, 12.0, "QSO"),
            candidate(0.3, 11.0),
            candidate(0.31, 5.0),
        ]
    )
    assert [(c.z, c.spectral_class.value) for c in kept] == [
        (0.512, "QSO"),
        (0.3, "GALAXY"),
        (0.31, "GALAXY"),
    ]


def test_there_are_never_more_than_five() -> None:
    assert len(distinct([candidate(0.1 * i, 10.0 + i) for i in range(1, 9)])) == 5
