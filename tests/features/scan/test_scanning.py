"""Redshifts and classes, of spectra that were made and of real ones."""

from collections import Counter

import numpy as np
import pytest

from al_service.features.scan.candidates import DISTINCT, N_CANDIDATES
from al_service.features.scan.scanning import ScanResult, scan
from al_service.survey.spectra import N_PIXELS
from tests.features.scan.skies import emission_line_galaxy, noisy
from tests.real_spectra import (
    DATA,
    catalog,
    needs_real_spectra,
    real_arrays,
    real_spectra,
)

SDSS_PIXELS = slice(253, 4105)


@pytest.fixture(scope="module")
def real() -> ScanResult:
    return scan(*real_arrays())


def off(result: ScanResult, truth: np.ndarray) -> np.ndarray:
    """`N`, |dz| / (1 + z)."""
    return np.asarray(np.abs(result.z - truth) / (1.0 + truth))


@pytest.mark.parametrize("z", [0.0123, 0.0891, 0.2504, 0.4567])
def test_a_galaxy_is_found_where_it_was_put_to_a_tenth_of_a_pixel(z: float) -> None:
    result = scan(*noisy(emission_line_galaxy(z), 30.0, seed=1))
    assert result.spectral_class[0] == "GALAXY"
    assert off(result, np.array([z]))[0] < 3e-5
    assert result.confidence[0] > 0.95


def test_the_stated_variance_covers_what_happens() -> None:
    truth = emission_line_galaxy(0.1)
    spectra = [noisy(truth, 0.5, seed=seed) for seed in range(40)]
    result = scan(*(np.concatenate(parts) for parts in zip(*spectra, strict=True)))
    pull = (result.z - 0.1) / np.sqrt(result.variance)
    assert 0.6 < 1.4826 * np.median(np.abs(pull)) < 1.5


def test_units_of_flux_do_not_matter() -> None:
    flux, ivar = noisy(emission_line_galaxy(0.2), 4.0, seed=2)
    one, other = scan(flux, ivar), scan(1e-17 * flux, 1e34 * ivar)
    np.testing.assert_allclose(one.z, other.z, rtol=1e-6)
    np.testing.assert_allclose(one.candidate_gain, other.candidate_gain, rtol=1e-2)


def test_a_spectrum_does_not_depend_on_those_beside_it() -> None:
    spectra = [noisy(emission_line_galaxy(z), 5.0, seed=3) for z in (0.05, 0.1, 0.3)]
    flux, ivar = (np.concatenate(parts) for parts in zip(*spectra, strict=True))
    together, alone = scan(flux, ivar), scan(flux[1:2], ivar[1:2])
    assert together.z[1] == pytest.approx(alone.z[0], abs=1e-6)


def test_padding_reveals_nothing() -> None:
    flux, ivar = noisy(emission_line_galaxy(0.15), 8.0, seed=4)
    cut = np.zeros_like(ivar)
    cut[:, SDSS_PIXELS] = ivar[:, SDSS_PIXELS]
    whole, part = scan(flux, ivar), scan(np.where(cut > 0, flux, 0.0), cut)
    assert off(whole, part.z)[0] < 5e-5
    assert whole.spectral_class[0] == part.spectral_class[0]


def test_candidates_are_distinct_and_in_order() -> None:
    result = scan(*noisy(emission_line_galaxy(0.1), 1.0, seed=5))
    z = result.candidate_z[0]
    assert result.candidate_z.shape == (1, N_CANDIDATES)
    assert np.isfinite(z).all()
    apart = np.abs(z[:, None] - z) / (1.0 + z)
    assert apart[~np.eye(N_CANDIDATES, dtype=bool)].min() > 0.9 * DISTINCT
    assert z[0] == result.z[0]
    assert set(result.candidate_class[0]) <= {"GALAXY", "QSO", "STAR"}


def test_noise_alone_is_not_believed() -> None:
    generator = np.random.default_rng(6)
    result = scan(generator.standard_normal((40, N_PIXELS)), np.ones((40, N_PIXELS)))
    assert result.confidence.mean() < 0.3
    assert result.confidence.max() < 0.9


def test_a_spectrum_without_a_usable_pixel_has_no_candidate() -> None:
    flux, ivar = np.zeros((2, N_PIXELS)), np.zeros((2, N_PIXELS))
    flux[1] = np.nan
    result = scan(flux, ivar)
    assert np.isnan(result.z).all()
    assert np.isnan(result.candidate_z).all()
    assert (result.confidence == 0).all()
    assert (result.spectral_class == "").all()


def test_no_spectra_are_no_results() -> None:
    assert len(scan(np.zeros((0, N_PIXELS)), np.zeros((0, N_PIXELS)))) == 0


@pytest.mark.parametrize(
    ("flux", "ivar"),
    [((2, 100), (2, 100)), ((2, N_PIXELS), (1, N_PIXELS)), ((9,), (9,))],
)
def test_arrays_of_another_grid_are_refused(
    flux: tuple[int, ...], ivar: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match="expected flux and ivar of N x 4620"):
        scan(np.zeros(flux), np.zeros(ivar))


@needs_real_spectra
def test_every_real_galaxy_is_where_the_pipeline_says(real: ScanResult) -> None:
    galaxy = np.array([row.spectral_class == "GALAXY" for row in catalog()])
    wrong = off(real, np.array([row.z for row in catalog()]))[galaxy]
    assert any(row.zwarning for row in catalog() if row.spectral_class == "GALAXY")
    assert wrong.max() < 1e-3
    assert np.median(wrong) < 2e-4


@needs_real_spectra
def test_real_quasars_and_stars_are_recognized(real: ScanResult) -> None:
    confusion = Counter(
        zip((row.spectral_class for row in catalog()), real.spectral_class, strict=True)
    )
    assert confusion == {
        ("GALAXY", "GALAXY"): 17,
        ("QSO", "QSO"): 12,
        ("STAR", "STAR"): 5,
    }


@needs_real_spectra
def test_redshifts_of_real_quasars_and_stars_agree(real: ScanResult) -> None:
    wrong = off(real, np.array([row.z for row in catalog()]))
    of_class = np.array([row.spectral_class for row in catalog()])
    assert wrong[of_class == "QSO"].max() < 5e-3
    assert wrong[of_class == "STAR"].max() < 2e-3
    inside = wrong < 3.0 * np.sqrt(real.variance) / (1.0 + real.z)
    assert inside[of_class != "GALAXY"].mean() > 0.8


@needs_real_spectra
def test_on_real_spectra_with_noise_added_confidence_is_not_too_high() -> None:
    truth = np.array([spectrum.z for spectrum in real_spectra()])
    quasar = np.array([s.spectral_class == "QSO" for s in real_spectra()])
    bright = np.array([s.sn_median for s in real_spectra()])
    flux, ivar = real_arrays()
    generator = np.random.default_rng(7)
    sure, right = [], []
    for target in (0.5, 1.0, 2.0, 4.0):
        some = bright > 1.5 * target
        more = (bright[some] / target) ** 2 - 1.0  # variance to add, in units of it
        sigma = np.where(ivar[some] > 0, np.maximum(ivar[some], 1e-20) ** -0.5, 0.0)
        noise = generator.standard_normal(sigma.shape) * sigma
        result = scan(
            flux[some] + np.sqrt(more)[:, None] * noise,
            ivar[some] / (1.0 + more)[:, None],
        )
        allowed = np.where(quasar[some], 2.0 * DISTINCT, DISTINCT)
        sure.append(result.confidence)
        right.append(off(result, truth[some]) < allowed)
    confidence, hits = np.concatenate(sure), np.concatenate(right)
    surest = confidence > 0.95
    assert surest.sum() > 25
    assert hits[surest].mean() >= 0.95
    assert confidence.mean() < hits.mean() + 0.05


@needs_real_spectra
def test_fibers_on_empty_sky_are_not_believed() -> None:
    with np.load(DATA / "sky_fibres.npz") as sky:
        flux, ivar = (np.zeros((76, N_PIXELS), dtype=np.float32) for _ in range(2))
        flux[:, :-30] = sky["flux"][:, 30:]  # its grid starts 30 pixels bluer
        ivar[:, :-30] = sky["ivar"][:, 30:]
    result = scan(flux, ivar)
    assert (result.confidence > 0.95).mean() <= 0.05
    assert np.median(result.confidence) < 0.5
