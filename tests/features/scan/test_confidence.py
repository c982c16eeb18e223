"""Confidence rises with the lead and never leaves what was measured."""

import numpy as np

from al_service.features.scan.confidence import LEADS, RIGHT, confidence, lead_over
from al_service.features.scan.templates import SpectralClass


def test_the_frozen_maps_rise_and_end_below_certainty() -> None:
    for name in SpectralClass:
        assert (np.diff(LEADS[name]) > 0).all()
        assert (np.diff(RIGHT[name]) >= 0).all()
        assert 0.0 <= RIGHT[name][0] <= 0.5  # a tie
        assert 0.95 < RIGHT[name][-1] < 1.0


def test_a_larger_lead_is_surer_in_every_class() -> None:
    leads = np.linspace(-1.0, 30.0, 50)
    for name in SpectralClass:
        sure = confidence(leads, np.full(50, name.value))
        assert (np.diff(sure) >= 0).all()
        assert sure[-1] - sure[0] > 0.45


def test_without_a_candidate_there_is_no_confidence() -> None:
    assert confidence(np.array([100.0]), np.array([""]))[0] == 0.0


def test_the_lead_counts_noise_in_faint_spectra_and_shares_in_bright_ones() -> None:
    faint = lead_over(np.array([20.0]), np.array([10.0]))
    bright = lead_over(np.array([20_000.0]), np.array([10_000.0]))
    assert 1.0 < faint[0] < bright[0] < 11.0
    assert lead_over(np.array([10.0]), np.array([10.0]))[0] == 0.0
