"""Stamps cut out of frames."""

from pathlib import Path

import numpy as np
import pytest

from al_service.survey.images.frames import (
    cut_field,
    cut_stamp,
    find_fields,
    inside,
    read_frame,
)
from al_service.survey.images.stamp import BadImage
from al_service.survey.photometry_columns import BANDS
from tests.survey.images.stamps import write_field

RA, DEC = 150.0, 12.0
ARCSEC = 1 / 3600


@pytest.mark.parametrize("turned", [0.0, 30.0, 200.0])
def test_a_star_lies_at_the_center_of_its_stamp_with_its_flux(
    tmp_path: Path, turned: float
) -> None:
    star = RA + 20.3 * ARCSEC, DEC - 11.7 * ARCSEC, 10.0
    write_field(tmp_path, ra=RA, dec=DEC, stars=[star], turned=turned)
    (field,) = find_fields(tmp_path).values()
    ((number, stamp),) = cut_field(field, np.array([star[0]]), np.array([star[1]]))

    assert (number, stamp.shape) == (0, (5, 64, 64))
    rows, columns = np.mgrid[0:64, 0:64]
    for place, _ in enumerate(BANDS):
        flux = float(stamp[place].sum())
        assert flux == pytest.approx(10.0 * (place + 1), rel=5e-3)
        # Between the four central pixels, in every band: sub-pixel registration.
        assert (stamp[place] * columns).sum() / flux == pytest.approx(31.5, abs=0.02)
        assert (stamp[place] * rows).sum() / flux == pytest.approx(31.5, abs=0.02)


def test_north_is_up_and_east_is_left(tmp_path: Path) -> None:
    east = RA + 8 * ARCSEC / np.cos(np.radians(DEC)), DEC, 10.0
    north = RA, DEC + 8 * ARCSEC, 10.0
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    for name, star in (("a", east), ("b", north)):
        write_field(tmp_path / name, ra=RA, dec=DEC, stars=[star])
        (field,) = find_fields(tmp_path / name).values()
        frames = [read_frame(field[band]) for band in BANDS]
        row, column = np.unravel_index(cut_stamp(frames, RA, DEC)[2].argmax(), (64, 64))
        # 8 arcseconds are 20.2 pixels.
        if name == "a":
            assert (row, column) in {(31, 11), (32, 11)}
        else:
            assert row == 52
            assert column in {31, 32}


def test_objects_at_the_edge_and_on_the_far_side_of_the_sky_are_left_out(
    tmp_path: Path,
) -> None:
    write_field(tmp_path, ra=RA, dec=DEC)
    (field,) = find_fields(tmp_path).values()
    frame = read_frame(field["r"])
    ra = np.array([RA, RA + 0.03, (RA + 180) % 360, 10.0])
    dec = np.array([DEC, DEC, -DEC, 80.0])
    assert inside(frame, ra, dec) == [0]


def test_counts_are_not_nanomaggies(tmp_path: Path) -> None:
    write_field(tmp_path, ra=RA, dec=DEC)
    path = next(tmp_path.glob("frame-r-*"))
    path.write_bytes(path.read_bytes().replace(b"'nanomaggy'", b"'counts'   "))
    with pytest.raises(BadImage, match="expected nanomaggies, found counts"):
        read_frame(path)


def test_an_image_without_world_coordinates_is_refused(tmp_path: Path) -> None:
    write_field(tmp_path, ra=RA, dec=DEC)
    path = next(tmp_path.glob("frame-r-*"))
    path.write_bytes(
        path.read_bytes()
        .replace(b"RA---TAN", b"X       ")
        .replace(b"DEC--TAN", b"Y       ")
    )
    with pytest.raises(BadImage, match="world coordinates"):
        read_frame(path)
