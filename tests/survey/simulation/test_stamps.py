"""Stamps hold the light of their galaxies, and fibers their part of it."""

from dataclasses import replace

import numpy as np
import pytest

from al_service.survey.images.stamp import PIXEL_ARCSEC, SIDE
from al_service.survey.photometry_columns import BANDS
from al_service.survey.simulation.galaxies import R_BAND
from al_service.survey.simulation.settings import default_settings
from al_service.survey.simulation.shapes import (
    BULGE,
    DISK,
    MOST_NEIGHBORS,
    YOUNG,
    Shapes,
)
from al_service.survey.simulation.stamps import draw_seeing, draw_stamps

SETTINGS = default_settings().images
FIBER = 3.0


def shapes_of(part: int, radius: float, *, flux: float = 100.0, n: int = 1) -> Shapes:
    """Galaxies with one component, round, in the middle of the stamp."""
    fluxes = np.zeros((n, len(BANDS), 3))
    fluxes[:, :, part] = flux
    return Shapes(
        radius=np.full((n, 3), radius),
        axis_ratio=np.ones((n, 3)),
        angle=np.zeros(n),
        flux=fluxes,
        clump_flux=np.zeros((n, 4)),
        clump_x=np.zeros((n, 4)),
        clump_y=np.zeros((n, 4)),
        center_x=np.zeros(n),
        center_y=np.zeros(n),
        neighbor_flux=np.zeros((n, len(BANDS), MOST_NEIGHBORS)),
        neighbor_x=np.zeros((n, MOST_NEIGHBORS)),
        neighbor_y=np.zeros((n, MOST_NEIGHBORS)),
        neighbor_radius=np.ones((n, MOST_NEIGHBORS)),
    )


def drawn(shapes: Shapes, seeing: float = 1.4) -> tuple[np.ndarray, np.ndarray]:
    """Image of r and what is in the fiber, of the first galaxy."""
    sigma = np.full((len(shapes.angle), len(BANDS)), seeing)
    found = draw_stamps(shapes, sigma, SETTINGS, fiber_arcsec=FIBER)
    return found.image[0, R_BAND], found.in_fiber[0]


def within(image: np.ndarray, radius: float) -> float:
    """Light within a circle around the middle, pixels cut into a hundred pieces."""
    fine = np.arange(SIDE * 10) / 10.0 - SIDE / 2 - 0.45
    inside = np.hypot(fine[:, None], fine[None, :]) <= radius
    share = inside.reshape(SIDE, 10, SIDE, 10).mean(axis=(1, 3))
    return float((image * share).sum())


def brightest(image: np.ndarray) -> tuple[int, int]:
    row, column = divmod(int(image.argmax()), SIDE)
    return row, column


@pytest.mark.parametrize("part", [BULGE, DISK, YOUNG])
def test_a_stamp_holds_the_flux_of_its_galaxy(part: int) -> None:
    image, _ = drawn(shapes_of(part, 4.0))
    assert image.sum() == pytest.approx(100.0, rel=0.03)
    assert image.min() > -1e-3 * image.max()


@pytest.mark.parametrize("part", [BULGE, DISK])
def test_half_of_the_light_is_within_the_half_light_radius(part: int) -> None:
    image, _ = drawn(shapes_of(part, 7.0), seeing=0.4)
    assert within(image, 7.0) == pytest.approx(50.0, abs=2.5)


@pytest.mark.parametrize("part", [BULGE, DISK, YOUNG])
def test_the_fiber_holds_what_the_image_shows_within_it(part: int) -> None:
    image, in_fiber = drawn(shapes_of(part, 5.0))
    radius = FIBER / PIXEL_ARCSEC / 2.0
    assert 100.0 * in_fiber[part] == pytest.approx(within(image, radius), rel=0.02)


def test_seeing_blurs_a_point_to_its_width() -> None:
    image, _ = drawn(shapes_of(DISK, 1e-3), seeing=1.6)
    x = np.arange(SIDE) - SIDE // 2
    variance = float((image.sum(axis=0) * x**2).sum() / image.sum())
    share, width = SETTINGS.wing_share, SETTINGS.wing_width
    expected = 1.6**2 * (1 - share + share * width**2) + 1 / 12  # of the pixel itself
    assert variance == pytest.approx(expected, rel=0.01)


def test_a_galaxy_lies_where_it_was_put_and_so_do_its_neighbors() -> None:
    shapes = replace(
        shapes_of(DISK, 1.5), center_x=np.array([5.0]), center_y=np.array([-3.0])
    )
    image, _ = drawn(shapes)
    middle = SIDE // 2
    assert brightest(image) == (middle - 3, middle + 5)
    flux = np.zeros((1, len(BANDS), MOST_NEIGHBORS))
    flux[:, :, 0] = 1e4
    shapes = replace(
        shapes,
        neighbor_flux=flux,
        neighbor_x=np.full((1, MOST_NEIGHBORS), -20.0),
        neighbor_y=np.full((1, MOST_NEIGHBORS), 12.0),
    )
    image, _ = drawn(shapes)
    assert brightest(image) == (middle + 12, middle - 20)


def test_clumps_move_light_and_add_none() -> None:
    smooth = shapes_of(YOUNG, 5.0)
    clumpy = replace(
        smooth,
        clump_flux=np.array([[0.3, 0.0, 0.0, 0.0]]),
        clump_x=np.array([[9.0, 0.0, 0.0, 0.0]]),
        clump_y=np.array([[0.0, 0.0, 0.0, 0.0]]),
    )
    (plain, plain_in), (image, image_in) = drawn(smooth), drawn(clumpy)
    assert image.sum() == pytest.approx(plain.sum(), rel=0.01)
    middle = SIDE // 2
    assert image[middle, middle + 9] > 3 * plain[middle, middle + 9]
    # What the clump took from the fiber is missing from the spectrum.
    assert image_in[YOUNG] == pytest.approx(0.7 * plain_in[YOUNG], rel=0.02)


def test_an_edge_on_disk_is_longer_than_wide_along_its_angle() -> None:
    flat = replace(
        shapes_of(DISK, 6.0), axis_ratio=np.full((1, 3), 0.25), angle=np.array([0.0])
    )
    image, _ = drawn(flat, seeing=0.5)
    x = np.arange(SIDE) - SIDE // 2
    along, across = ((image.sum(axis=a) * x**2).sum() for a in (0, 1))
    assert along > 4 * across


def test_seeing_differs_from_field_to_field_about_its_median() -> None:
    sigma = draw_seeing(2000, SETTINGS, np.random.default_rng(0))
    fwhm = sigma * 2.3548 * PIXEL_ARCSEC
    np.testing.assert_allclose(np.median(fwhm, axis=0), SETTINGS.seeing, rtol=0.02)
