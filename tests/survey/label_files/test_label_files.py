"""Label files of surveys and inspectors, told apart and read."""

import math
from pathlib import Path

import pytest

from al_service.errors import UnreadableFile
from al_service.survey.label_files.file_label import FileLabel, LabelFormat, usable
from al_service.survey.label_files.reading import read_labels, sniff
from tests.survey.label_files.files import (
    DESI_VI,
    GALSPEC,
    MARZ,
    info,
    rates,
    redrock,
    sdss_v,
    sp_zbest,
    spec_obj,
)


def read(path: Path, extra: Path | None = None) -> list[FileLabel]:
    return list(read_labels(path, sniff(path), info=extra))


def test_mpa_jhu_rates_get_their_names_from_the_rows_of_the_other_file(
    tmp_path: Path,
) -> None:
    rates().write(tmp_path / "rates.fits")
    info().write(tmp_path / "info.fits")
    assert sniff(tmp_path / "rates.fits") is LabelFormat.MPA_JHU
    first, second, third, fourth = read(tmp_path / "rates.fits", tmp_path / "info.fits")

    assert first.names == ("0266-51630-0001",)
    assert first.values["sfr_median"] == pytest.approx(0.5)
    assert first.values["sfr_p2p5"] == pytest.approx(-0.5)
    assert first.values["z"] == 0.05
    assert (first.ra, first.dec, first.quality) == (10.0, 0.0, 4)
    assert second.values == {"z": 0.06}, "missing codes leave the targets out"
    assert second.quality == 4, "MANY_OUTLIERS is harmless"
    assert set(third.values) == {"z", "sfr_avg", "sfr_mode", "sfr_entropy"}
    assert fourth.quality == 1


def test_mpa_jhu_rates_without_names_or_of_other_rows_are_refused(
    tmp_path: Path,
) -> None:
    rates(3).write(tmp_path / "rates.fits")
    info().write(tmp_path / "info.fits")
    with pytest.raises(UnreadableFile, match="--info"):
        read(tmp_path / "rates.fits")
    with pytest.raises(UnreadableFile, match="expected the 4 rows of"):
        read(tmp_path / "rates.fits", tmp_path / "info.fits")


def test_galspec_extra_of_casjobs(tmp_path: Path) -> None:
    path = tmp_path / "galspec.csv"
    path.write_text(GALSPEC)
    assert sniff(path) is LabelFormat.GALSPEC
    first, second, third = read(path)
    assert first.names == ("299489677444933632",)
    assert first.values["sfr_p97p5"] == 1
    assert (first.quality, second.quality) == (4, 1)
    assert third.values == {}


def test_spec_obj_names_fibers_and_warns(tmp_path: Path) -> None:
    path = tmp_path / "specobj.fits"
    spec_obj().write(path)
    assert sniff(path) is LabelFormat.SPECOBJ
    first, second, third = read(path)
    assert first.names == ("0266-51630-0001", "299489677444933632")
    assert (first.errors, second.errors) == ({"z": 1e-5}, {})
    assert (first.quality, third.quality) == (4, 1)
    assert (first.ra, first.dec) == (1.0, 2.0)


def test_redrock_trusts_no_warning(tmp_path: Path) -> None:
    path = tmp_path / "redrock.fits"
    redrock().write(path)
    assert sniff(path) is LabelFormat.REDROCK
    labels = read(path)
    assert [one.quality for one in labels] == [4, 1]
    assert labels[0].names == ("39627652595714901",)
    assert [one.note for one in labels] == ["GALAXY", "QSO LOZ"]


def test_the_best_fits_of_a_plate_are_named_by_their_fibers(tmp_path: Path) -> None:
    path = tmp_path / "spZbest-4055-55359.fits"
    sp_zbest().write(path)
    assert sniff(path) is LabelFormat.SPECOBJ
    labels = read(path)
    assert [one.names for one in labels] == [
        ("4055-55359-0001",),
        ("4055-55359-0002",),
        ("4055-55359-0003",),
    ]
    assert [one.quality for one in labels] == [4, 4, 1]
    assert [one.note for one in labels] == ["GALAXY STARFORMING", "STAR F5", "GALAXY"]
    assert [sorted(one.errors) for one in labels] == [["z"], ["z"], []]
    assert labels[1].values["z"] == pytest.approx(1e-4)
    assert (labels[2].ra, labels[2].dec) == (240.2, 20.2)


def test_catalog_numbers_of_sdss_v_keep_their_last_digit(tmp_path: Path) -> None:
    sdss_v().write(tmp_path / "spAll.fits")
    names = [one.names for one in read(tmp_path / "spAll.fits")]
    assert names == [
        ("15000-59146-27021597764222976",),
        ("15000-59146-27021597764222977",),
    ]


def test_a_fiber_without_a_number_has_no_name(tmp_path: Path) -> None:
    path = tmp_path / "specobj.csv"
    path.write_text(
        "plate,mjd,fiberid,z,zwarning\n266,51630,,0.1,0\n266.0,51630,7,1,0\n"
    )
    assert [one.names for one in read(path)] == [(), ("0266-51630-0007",)]


def test_an_empty_inspected_redshift_accepts_that_of_redrock(tmp_path: Path) -> None:
    path = tmp_path / "vi.csv"
    path.write_text(DESI_VI)
    assert sniff(path) is LabelFormat.DESI_VI
    first, second = read(path)
    assert (first.values, first.quality, first.labeler) == ({"z": 0.7012}, 4, "AB")
    assert (second.values, second.quality) == ({"z": 1.1012}, 2)
    assert second.note == "wrong line"


def test_marz_results(tmp_path: Path) -> None:
    path = tmp_path / "results.mz"
    path.write_text(MARZ)
    assert sniff(path) is LabelFormat.MARZ
    labels = read(path)
    assert [one.names[0] for one in labels] == ["obj-a", "obj-b", "obj-c", "obj-d"]
    assert [one.quality for one in labels] == [4, 2, 3, 0]
    assert [one.values.get("z") for one in labels] == [0.10123, 0.20123, 0.0001, None]
    assert {one.labeler for one in labels} == {"AH"}
    assert (labels[0].ra, labels[0].dec) == pytest.approx((10.0, -1.0), abs=1e-4)
    assert labels[0].note == 'a 3" "fiber', "Marz quotes nothing"


def test_marz_positions_that_cannot_be_radians_are_degrees(tmp_path: Path) -> None:
    path = tmp_path / "results.mz"
    path.write_text(MARZ.replace("0.244346", "14.00000"))
    assert read(path)[0].ra == 0.174533


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (MARZ + "6, short\n", "line 9: expected 15 cells, found 2"),
        (
            MARZ.replace("0.10123", "high"),
            "line 4: FinZ: expected a number, found 'high'",
        ),
        ("name,mass\na,1\n", "expected labels"),
        ("specobjid,z,zwarning\n1,far,0\n", "line 2: z: expected a number"),
    ],
)
def test_a_label_file_that_makes_no_sense_is_refused_with_the_place(
    tmp_path: Path, content: str, message: str
) -> None:
    path = tmp_path / "labels"
    path.write_text(content)
    with pytest.raises(UnreadableFile, match=message):
        read(path)


def test_values_that_no_catalog_can_mean_are_left_out() -> None:
    assert usable({"z": 0.1, "sfr_avg": -99.0, "sfr_mode": 7.0}) == {"z": 0.1}
    assert usable({"sfr_entropy": -1.0, "sfr_median": math.nan}) == {}
    unsorted = {"sfr_p16": 0.5, "sfr_median": 0.1, "sfr_avg": 0.2}
    assert usable(unsorted) == {"sfr_avg": 0.2}
