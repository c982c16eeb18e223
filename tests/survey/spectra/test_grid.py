"""Pixels land where their wavelength says, whole."""

import numpy as np
import pytest

from al_service.survey.spectra.grid import (
    LOGLAM_START,
    LOGLAM_STEP,
    N_PIXELS,
    first_pixel,
    on_grid,
    wavelengths,
)


def loglam(first: float, n: int = 100, step: float = LOGLAM_STEP) -> np.ndarray:
    return (first + step * np.arange(n)).astype(np.float32)


def test_the_grid_is_the_one_that_the_design_names() -> None:
    assert (LOGLAM_START, LOGLAM_STEP, N_PIXELS) == (3.5530, 1e-4, 4620)
    assert wavelengths()[[0, -1]] == pytest.approx([3572.73, 10349.0], abs=0.1)


@pytest.mark.parametrize(
    ("start", "pixel"), [(3.5530, 0), (3.5812, 282), (3.5523, -7), (4.0149, 4619)]
)
def test_a_spectrum_starts_at_the_pixel_of_its_wavelength(
    start: float, pixel: int
) -> None:
    assert first_pixel(loglam(start)) == pixel


def test_a_start_between_pixels_goes_to_the_nearer() -> None:
    assert first_pixel(loglam(3.55804)) == 50
    assert first_pixel(loglam(3.55806)) == 51


def test_a_step_that_drifts_off_by_half_a_pixel_is_another_grid() -> None:
    assert first_pixel(loglam(3.58, 3800, 1.0001e-4)) == 270
    with pytest.raises(ValueError, match="in steps of"):
        first_pixel(loglam(3.58, 3800, 1.0005e-4))


def test_pixels_are_copied_whole_and_the_rest_is_empty() -> None:
    values = np.arange(1, 6, dtype=">f4")
    placed = on_grid(values, 10)
    assert placed.dtype == np.float32
    assert placed.dtype.isnative
    np.testing.assert_array_equal(placed[10:15], values)
    assert placed.sum() == values.sum()


def test_what_sticks_out_of_the_grid_is_cut_off_on_both_sides() -> None:
    values = np.arange(N_PIXELS + 20)
    np.testing.assert_array_equal(on_grid(values, -7), values[7 : N_PIXELS + 7])
    assert on_grid(np.ones(5), N_PIXELS - 2).sum() == 2
