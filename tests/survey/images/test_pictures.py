"""Stamps as pictures: orientation, colors, stretch."""

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from al_service.survey.images.pictures import band_picture, color_picture, write_png
from al_service.survey.photometry_columns import BANDS
from tests.survey.images.stamps import stamps

Stamp = NDArray[np.float32]


def sky_with(row: int, column: int, fluxes: dict[str, float], side: int = 3) -> Stamp:
    """One stamp of noise with a bright patch."""
    stamp: Stamp = stamps(1)[0]
    for band, flux in fluxes.items():
        stamp[BANDS.index(band), row : row + side, column : column + side] += flux
    return stamp


def test_the_last_row_of_a_stamp_is_the_top_of_its_picture() -> None:
    stamp = sky_with(60, 5, dict.fromkeys(BANDS, 5.0))
    for drawn in (color_picture(stamp), band_picture(stamp, "r")):
        brightest = drawn.reshape(64, 64, -1).sum(axis=2).astype(int)
        row, column = np.unravel_index(np.argmax(brightest), brightest.shape)
        assert 1 <= row <= 3
        assert 5 <= column <= 7


@pytest.mark.parametrize(("band", "channel"), [("i", 0), ("r", 1), ("g", 2)])
def test_red_is_i_green_is_r_and_blue_is_g(band: str, channel: int) -> None:
    drawn = color_picture(sky_with(30, 30, {band: 2.0}))
    color = drawn[64 - 32, 31].astype(int)
    assert np.argmax(color) == channel
    assert color[channel] > 2 * np.delete(color, channel).max()


def test_ultraviolet_and_z_have_no_part_in_the_color_picture() -> None:
    plain, other = stamps(1)[0], sky_with(30, 30, {"u": 5.0, "z": 5.0})
    np.testing.assert_array_equal(color_picture(plain), color_picture(other))


def test_what_is_brighter_looks_brighter_in_color() -> None:
    seen = [
        int(color_picture(sky_with(30, 30, dict.fromkeys("gri", flux)))[32, 31].sum())
        for flux in (0.05, 0.2, 0.8, 2.0)
    ]
    assert seen == sorted(set(seen))


def test_a_band_is_stretched_to_its_own_range() -> None:
    faint, bright = (
        band_picture(sky_with(30, 30, {"r": flux}, side=9), "r")
        for flux in (1.0, 1000.0)
    )
    assert faint[32, 31] == bright[32, 31] == 255
    assert np.median(faint) > np.median(bright), "the sky sinks below what is bright"


def test_the_sky_alone_is_dark_and_no_division_by_nothing() -> None:
    assert np.median(band_picture(stamps(1)[0], "u")) < 80
    assert band_picture(np.ones((5, 64, 64), dtype=np.float32), "u").max() == 0


@pytest.mark.parametrize("size", [16, 64, 100, 256])
def test_a_picture_is_a_png_of_the_size_asked_for(size: int) -> None:
    drawn = color_picture(stamps(1)[0])
    with Image.open(io.BytesIO(write_png(drawn, size))) as read:
        assert (read.format, read.size, read.mode) == ("PNG", (size, size), "RGB")
        if size % 64 == 0:
            np.testing.assert_array_equal(
                np.array(read)[:: size // 64, :: size // 64], drawn
            )


def test_the_same_stamp_is_the_same_file() -> None:
    stamp = stamps(1)[0]
    assert write_png(color_picture(stamp), 128) == write_png(color_picture(stamp), 128)
