"""Cutouts: what the stretch keeps, and what the apertures measure."""

import os
from pathlib import Path

import numpy as np
import pytest

from al_service.features.images import (
    APERTURE_FEATURES,
    RADII,
    STRETCH,
    aperture_features,
    image_pixels,
)
from al_service.features.stretch import asinh
from al_service.survey.images.stamp import SIDE

NO_DUST = np.zeros((1, 5))
REAL_STAMPS = (
    Path(os.environ.get("AL_TEST_DATA", "../shared/data")) / "real_stamps_ugriz_64.npz"
)


def galaxy(flux: float, *, sigma: float = 2.0, stretched: float = 1.0) -> np.ndarray:
    """A Gaussian of `flux` nanomaggies in every band, `1 x 5 x 64 x 64`."""
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2.0
    profile = np.exp(-0.5 * ((x / stretched) ** 2 + y**2) / sigma**2)
    return np.tile(flux * profile / profile.sum(), (1, 5, 1, 1)).astype(np.float32)


def feature(name: str, image: np.ndarray, extinction: np.ndarray = NO_DUST) -> float:
    columns = aperture_features(image, extinction)
    return float(columns[0, APERTURE_FEATURES.index(name)])


def test_the_stretch_is_asinh_and_keeps_zeros_signs_and_noise() -> None:
    values = np.array([-1e4, -1.0, -1e-3, 0.0, 1e-3, 1.0, 1e4])
    np.testing.assert_allclose(asinh(values), np.arcsinh(values), atol=2e-6)


def test_the_stretch_is_one_function_of_the_flux_so_that_magnitudes_survive() -> None:
    faint, bright = (
        image_pixels(galaxy(10.0), NO_DUST),
        image_pixels(galaxy(1000.0), NO_DUST),
    )
    np.testing.assert_allclose(
        np.sinh(bright) * STRETCH[:, None, None],
        100.0 * np.sinh(faint) * STRETCH[:, None, None],
        rtol=1e-3,
        atol=1e-3,
    )


def test_extinction_is_undone_per_band() -> None:
    dust = np.array([[0.5, 0.4, 0.3, 0.2, 0.1]])
    dimmed = galaxy(100.0) * 10.0 ** (-0.4 * dust[:, :, None, None])
    np.testing.assert_allclose(
        image_pixels(dimmed, dust), image_pixels(galaxy(100.0), NO_DUST), atol=1e-4
    )
    unknown = np.full((1, 5), np.nan)
    np.testing.assert_array_equal(
        image_pixels(dimmed, unknown), image_pixels(dimmed, NO_DUST)
    )


def test_the_largest_aperture_holds_the_flux_and_a_small_one_its_share() -> None:
    assert feature(f"luptitude_r_{RADII[-1]:g}", galaxy(100.0)) == pytest.approx(
        17.5, abs=0.01
    )
    # A Gaussian holds 1 - exp(-r^2 / 2 sigma^2); the edge is half a pixel soft.
    share = 1.0 - np.exp(-0.5 * (3.8 / 2.0) ** 2)
    inside = feature("luptitude_r_3.8", galaxy(100.0))
    assert inside == pytest.approx(17.5 - 2.5 * np.log10(share), abs=0.03)


def test_a_source_twice_as_large_has_twice_the_size() -> None:
    small, large = (feature("log_size", galaxy(100.0, sigma=s)) for s in (1.5, 3.0))
    assert large - small == pytest.approx(np.log(2.0), abs=0.02)


def test_elongation_knows_its_direction() -> None:
    assert feature("elongation_1", galaxy(100.0)) == pytest.approx(0.0, abs=1e-3)
    along = feature("elongation_1", galaxy(100.0, stretched=2.0))
    across = feature("elongation_1", galaxy(100.0, stretched=0.5))
    assert along > 0.4
    assert across < -0.4


def test_every_column_has_a_name_and_a_number() -> None:
    columns = aperture_features(np.zeros((3, 5, SIDE, SIDE)), np.zeros((3, 5)))
    assert columns.shape == (3, len(APERTURE_FEATURES))
    assert np.isfinite(columns).all()
    assert aperture_features(np.zeros((0, 5, SIDE, SIDE)), np.zeros((0, 5))).shape == (
        0,
        len(APERTURE_FEATURES),
    )


@pytest.mark.skipif(not REAL_STAMPS.exists(), reason=f"no {REAL_STAMPS}")
def test_real_stamps_have_the_brightness_that_others_measured() -> None:
    with np.load(REAL_STAMPS) as stored:
        stamps, magnitude = stored["stamps"], stored["rmag_aper"]
    columns = aperture_features(stamps, np.zeros((len(stamps), 5)))
    ours = columns[:, APERTURE_FEATURES.index("luptitude_r_10")]
    assert np.corrcoef(ours, magnitude)[0, 1] > 0.95
    assert abs(np.median(ours - magnitude)) < 0.3
    pixels = image_pixels(stamps, np.zeros((len(stamps), 5)))
    assert 0.1 < pixels.std() < 1.0
