import pytest

from al_service.errors import InvalidInput
from al_service.fetch.sas import (
    Field,
    Observation,
    check_release,
    frame_file,
    spectrum_file,
)

LEGACY = Observation(plate=266, mjd=51602, fiber=31, run2d="26")
BOSS = Observation(plate=10000, mjd=57346, fiber=2, run2d="v5_13_2")


@pytest.mark.parametrize(
    ("observation", "release", "full", "path"),
    [
        (LEGACY, 12, False, "dr12/sdss/spectro/redux/26/spectra/lite/0266/"),
        (LEGACY, 17, False, "dr17/sdss/spectro/redux/26/spectra/lite/0266/"),
        (LEGACY, 17, True, "dr17/sdss/spectro/redux/26/spectra/0266/"),
        (LEGACY, 18, False, "dr18/spectro/sdss/redux/26/spectra/lite/0266/"),
        (BOSS, 12, True, "dr12/boss/spectro/redux/v5_13_2/spectra/10000/"),
        (BOSS, 14, True, "dr14/eboss/spectro/redux/v5_13_2/spectra/10000/"),
        (BOSS, 16, True, "dr16/eboss/spectro/redux/v5_13_2/spectra/full/10000/"),
        (BOSS, 17, False, "dr17/eboss/spectro/redux/v5_13_2/spectra/lite/10000/"),
        (BOSS, 18, True, "dr18/spectro/sdss/redux/v5_13_2/spectra/full/10000/"),
    ],
)
def test_spectra_lie_where_their_release_has_them(
    observation: Observation, release: int, full: bool, path: str
) -> None:
    file = spectrum_file(observation, release=release, full=full)

    assert file.path == f"{path}{observation.name}.fits"
    assert file.directory == path.rstrip("/")


def test_plates_have_four_digits_or_five_and_fibers_four() -> None:
    assert LEGACY.name == "spec-0266-51602-0031"
    assert BOSS.name == "spec-10000-57346-0002"
    assert spectrum_file(BOSS, release=17).name == (
        "spectra/10000/spec-10000-57346-0002.fits"
    )


@pytest.mark.parametrize(
    ("release", "root"),
    [
        (12, "dr12/boss/photoObj"),
        (13, "dr13/eboss/photoObj"),
        (17, "dr17/eboss/photoObj"),
        (18, "dr18/prior-surveys/sdss4-dr17-eboss/photoObj"),
    ],
)
def test_frames_lie_where_their_release_has_them(release: int, root: str) -> None:
    file = frame_file(Field(756, 301, 4, 206), "r", release=release)

    assert file.path == f"{root}/frames/301/756/4/frame-r-000756-4-0206.fits.bz2"
    assert file.name == "frames/frame-r-000756-4-0206.fits.bz2"


@pytest.mark.parametrize("run2d", ["v6_0_4", "", "27", "v5_13_2/../.."])
def test_a_reduction_of_another_layout_is_refused_by_name(run2d: str) -> None:
    with pytest.raises(InvalidInput, match="spec-0266-51602-0031: expected run2d 26"):
        spectrum_file(Observation(266, 51602, 31, run2d), release=17)


@pytest.mark.parametrize("release", [7, 11, 19])
def test_a_release_of_another_layout_is_refused(release: int) -> None:
    with pytest.raises(InvalidInput, match=f"from 12 to 18, found {release}"):
        check_release(release)
