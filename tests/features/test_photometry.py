"""Fluxes become luptitudes and colors."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from al_service.features.photometry import (
    PHOTOMETRY_FEATURES,
    photometry_features,
)
from al_service.survey.magnitudes import SOFTENING, luptitude
from al_service.survey.photometry_columns import (
    EXTINCTION,
    MODEL_FLUX,
    MODEL_FLUX_ERROR,
    PETRO_FLUX,
    PHOTOMETRY_COLUMNS,
)

Floats = NDArray[np.floating[Any]]  # Any: every precision


def galaxy() -> Floats:
    row = np.empty((1, len(PHOTOMETRY_COLUMNS)))
    row[:, :5] = row[:, 10:15] = [10.0, 40.0, 80.0, 110.0, 130.0]
    row[:, 5:10] = row[:, 15:20] = 1.0
    row[:, EXTINCTION] = 0.0
    return row


def feature(values: Floats, name: str) -> float:
    return float(values[0, PHOTOMETRY_FEATURES.index(name)])


def test_a_bright_luptitude_is_the_magnitude() -> None:
    flux = np.full((1, 5), 1_000.0)
    np.testing.assert_allclose(luptitude(flux), 15.0, atol=1e-6)


def test_a_luptitude_is_finite_and_falls_with_flux_also_below_zero() -> None:
    flux = np.array([-5.0, -0.1, 0.0, 0.1, 5.0])[:, None] * np.ones((1, 5))
    values = luptitude(flux)
    assert np.isfinite(values).all()
    assert (np.diff(values, axis=0) < 0).all()
    expected = 22.5 - 2.5 * np.log10(SOFTENING)  # the known value at zero flux
    np.testing.assert_allclose(values[2], expected)


def test_extinction_brightens_and_leaves_equal_relative_errors() -> None:
    plain, reddened = galaxy(), galaxy()
    reddened[:, EXTINCTION] = 0.5
    a, b = photometry_features(plain), photometry_features(reddened)
    change = feature(b, "luptitude_r") - feature(a, "luptitude_r")
    assert change == pytest.approx(-0.5, abs=1e-4)
    assert feature(b, "log_error_r") == pytest.approx(
        feature(a, "log_error_r"), abs=1e-4
    )
    assert feature(b, "color_gr") == pytest.approx(feature(a, "color_gr"), abs=1e-4)


def test_a_color_is_the_difference_of_its_luptitudes() -> None:
    values = photometry_features(galaxy())
    difference = feature(values, "luptitude_g") - feature(values, "luptitude_r")
    assert feature(values, "color_gr") == pytest.approx(difference)
    assert feature(values, "petro_minus_model_g") == 0.0


def test_a_missing_band_is_nan_where_it_enters_and_flagged() -> None:
    row = galaxy()
    row[:, MODEL_FLUX.start] = row[:, MODEL_FLUX_ERROR.start] = np.nan
    values = photometry_features(row)
    for name in ("luptitude_u", "color_ug", "log_error_u", "petro_minus_model_u"):
        assert np.isnan(feature(values, name))
    assert feature(values, "missing_model_u") == 1.0
    assert feature(values, "missing_petro_u") == 0.0
    assert np.isfinite(feature(values, "color_gr"))


def test_unknown_extinction_is_taken_as_none() -> None:
    unknown, none = galaxy(), galaxy()
    unknown[:, EXTINCTION] = np.nan
    np.testing.assert_array_equal(
        photometry_features(unknown), photometry_features(none)
    )
    assert PETRO_FLUX.start == 10
