"""The measuring of confidence, measured."""

import numpy as np

from al_service.features.scan.scanning import scan
from al_service.studies.scan_calibration import fit_confidence, is_right
from al_service.studies.simulated_spectra import simulate_spectra


def test_the_fitted_map_rises_and_says_how_often_it_was_right() -> None:
    generator = np.random.default_rng(1)
    lead = generator.uniform(0.0, 10.0, 20_000)
    right = generator.random(20_000) < lead / 10.0
    found = fit_confidence(lead, right)
    assert (np.diff(found.right) >= 0).all()
    np.testing.assert_allclose(
        np.interp([2.0, 5.0, 8.0], found.leads, found.right), [0.2, 0.5, 0.8], atol=0.06
    )


def test_flat_stretches_of_the_map_are_told_by_their_ends() -> None:
    lead = np.linspace(0.0, 1.0, 4_000)
    found = fit_confidence(lead, lead > 0.5)
    assert len(found.leads) < 10


def test_simulated_spectra_are_drawn_again_from_the_same_seed() -> None:
    one, other = (
        simulate_spectra(6, generator=np.random.default_rng(3)) for _ in range(2)
    )
    np.testing.assert_array_equal(one.flux, other.flux)
    np.testing.assert_array_equal(one.z, other.z)


def test_simulated_spectra_have_the_noise_that_was_asked_for() -> None:
    truth = simulate_spectra(60, generator=np.random.default_rng(4))
    seen = truth.ivar > 0
    ratio = np.array(
        [
            np.median(flux[good] * np.sqrt(ivar[good]))
            for flux, ivar, good in zip(truth.flux, truth.ivar, seen, strict=True)
        ]
    )
    there = truth.spectral_class != ""
    off = np.abs(ratio[there] - truth.signal_to_noise[there])
    assert np.median(off / (0.1 + truth.signal_to_noise[there])) < 0.15
    assert set(truth.spectral_class) >= {"GALAXY", "QSO", "STAR"}


def test_confidence_holds_on_simulated_spectra_it_was_not_fitted_to() -> None:
    truth = simulate_spectra(400, generator=np.random.default_rng(99))
    result = scan(truth.flux, truth.ivar)
    right = is_right(result, truth)
    assert abs(result.confidence.mean() - right.mean()) < 0.05
    surest = result.confidence > 0.95
    assert surest.sum() > 100
    assert right[surest].mean() > 0.95
    for low, high in ((0.0, 0.3), (0.3, 0.9)):
        some = (result.confidence >= low) & (result.confidence < high)
        # Three standard errors of the share.
        allowed = 3.0 * np.sqrt(0.25 / some.sum())
        assert abs(result.confidence[some].mean() - right[some].mean()) < allowed


def test_an_object_that_is_not_there_cannot_be_right() -> None:
    truth = simulate_spectra(60, generator=np.random.default_rng(5))
    right = is_right(scan(truth.flux, truth.ivar), truth)
    assert not right[truth.spectral_class == ""].any()
