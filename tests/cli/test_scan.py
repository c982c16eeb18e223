"""`al scan`, on files as an observer has them."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from al_service.cli.scan import SomeSpectraFailed, app
from tests.real_spectra import DATA, needs_real_spectra
from tests.survey.spectra.files import plate_hdus, write_plate, write_spec


def scan(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_json_is_what_the_contract_says(tmp_path: Path) -> None:
    path = write_spec(tmp_path / "spec-0266-51630-0031.fits")
    done = scan(path, "--json", "-")
    assert done.exit_code == 0, done.output
    (item,) = json.loads(done.stdout)
    assert item["file"] == str(path)
    assert item["sn_median"] == 2.5
    assert 0.0 <= item["confidence"] <= 1.0
    assert 1 <= len(item["candidates"]) <= 5
    assert set(item["candidates"][0]) == {"z", "class", "gain"}


def test_a_plate_gives_an_item_for_every_fiber(tmp_path: Path) -> None:
    write_plate(tmp_path / "spPlate-4055-55359.fits", plate_hdus())
    done = scan(tmp_path, "--json", "-")
    assert done.exit_code == 0, done.output
    names = [item["spectrum"] for item in json.loads(done.stdout)]
    assert names == ["4055-55359-0001", "4055-55359-0002"]


def test_a_bad_file_is_named_and_the_others_are_reported(tmp_path: Path) -> None:
    good = write_spec(tmp_path / "spec-1.fits")
    bad = tmp_path / "spec-2.fits"
    bad.write_text("no spectrum")
    done = scan(bad, good, "--json", "-")
    assert done.exit_code == 1
    assert isinstance(done.exception, SomeSpectraFailed)
    assert f"{bad}: not a FITS file" in str(done.exception)
    assert [item["file"] for item in json.loads(done.stdout)] == [str(good)]


def test_a_folder_without_spectra_is_named(tmp_path: Path) -> None:
    done = scan(tmp_path)
    assert done.exit_code == 1
    assert f"{tmp_path}: no spec-*.fits" in str(done.exception)


def test_no_file_is_bad_usage() -> None:
    assert scan().exit_code == 2


@needs_real_spectra
@pytest.mark.parametrize(
    ("file", "spectral_class", "z"),
    [
        ("spec-1678-53433-0001.fits", "GALAXY", 0.07655),
        ("spec-10000-57346-0008.fits", "QSO", 1.977),
        ("spec-4055-55359-0001.fits", "STAR", 0.0004),
    ],
)
def test_real_files_are_recognized(file: str, spectral_class: str, z: float) -> None:
    path = DATA / "spectra" / file
    done = scan(path, "--json", "-")
    (item,) = json.loads(done.stdout)
    best = item["candidates"][0]
    assert best["class"] == spectral_class
    assert best["z"] == pytest.approx(z, abs=5e-3)
    assert item["confidence"] > 0.9


@needs_real_spectra
def test_a_comparison_says_classes_errors_and_confidences(tmp_path: Path) -> None:
    names = ("spec-1678-53433-0001", "spec-10000-57346-0008", "spec-4055-55359-0001")
    files = [DATA / "spectra" / f"{name}.fits" for name in names]
    done = scan(*files, "--compare", "--json", tmp_path / "scan.json")
    assert "3 of 3 redshifts agree" in done.output
    assert "class by the pipeline, and as scanned" in done.output
    assert "mean confidence" in done.output
    (first, *_) = json.loads((tmp_path / "scan.json").read_text())
    assert first["pipeline"] == {
        "z": pytest.approx(0.0765, abs=1e-3),
        "class": "GALAXY",
        "zwarning": 0,
    }


def test_a_plate_has_nothing_to_compare_with(tmp_path: Path) -> None:
    write_plate(tmp_path / "spPlate-4055-55359.fits", plate_hdus())
    assert "nothing to compare" in scan(tmp_path, "--compare").output


@needs_real_spectra
def test_people_get_a_table() -> None:
    done = scan(DATA / "spectra" / "spec-1678-53433-0001.fits")
    assert "1678-53433-0001" in done.output
    assert "0.0765" in done.output
