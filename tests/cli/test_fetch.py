import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from al_service.cli import fetch as fetch_command
from al_service.cli.fetch import app
from al_service.local.processes import wait_until
from al_service.survey.atomic_folder import MANIFEST, verify_files
from tests.cli.running import AL, KEPT
from tests.fetch.archives import Archives, Fault
from tests.fetch.stock import stock
from tests.real_spectra import DATA

END_SECONDS = 60.0


@pytest.fixture
def spectra() -> list[Path]:
    found = sorted((DATA / "spectra").glob("spec-0266-*.fits"))
    if not found:
        pytest.skip(f"no spectra in {DATA}: set AL_TEST_DATA")
    return found[:4]


@pytest.fixture
def archives(spectra: list[Path]) -> Iterator[Archives]:
    with Archives() as archives:
        stock(archives, spectra, bands="r")
        yield archives


def surroundings(archives: Archives) -> dict[str, str]:
    return {
        "AL_SKYSERVER_URL": archives.url,
        "AL_ARCHIVE_URL": archives.archive_url,
        "AL_FETCH_RETRY_SECONDS": "0.01",
    }


def al_fetch(archives: Archives, folder: Path, *words: str) -> Result:
    """The command in this process; the rate is no matter here."""
    return CliRunner().invoke(
        app,
        [str(folder), "--bands", "r", "--rate", "50", *words],
        env=surroundings(archives),
    )


def report_of(result: Result) -> Any:  # JSON
    return json.loads(result.stdout)


def files_in(folder: Path) -> set[str]:
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def test_a_fetch_shows_its_plan_and_its_end_and_leaves_a_folder_to_import(
    archives: Archives, tmp_path: Path
) -> None:
    result = al_fetch(archives, tmp_path / "sample", "--json", "-")

    assert result.exit_code == 0, result.output
    report = report_of(result)
    assert report["complete"]
    assert report["files"] == {"fetched": 8, "kept": 0, "missing": 0, "failed": 0}
    assert report["plan"]["objects"] == 4
    assert report["plan"]["bytes"] == 4 * 173_000 + 4 * 3_000_000
    assert "4 galaxies: 4 spectra and 4 frames" in result.stderr
    assert "8/8 files" in result.stderr
    assert {"catalog.csv", MANIFEST} <= files_in(tmp_path / "sample")


def test_a_dry_run_shows_the_plan_and_writes_nothing(
    archives: Archives, tmp_path: Path
) -> None:
    result = al_fetch(archives, tmp_path / "sample", "--dry-run", "--json", "-")

    assert result.exit_code == 0, result.output
    assert report_of(result)["plan"]["to_fetch"] == 8
    assert "8 files, about 12.7 MB" in result.stderr
    assert not (tmp_path / "sample").exists()
    assert not archives.asked_for(".fits")


def test_a_dry_run_over_a_finished_sample_has_nothing_to_fetch(
    archives: Archives, tmp_path: Path
) -> None:
    al_fetch(archives, tmp_path)
    queries = len(archives.queries)

    result = al_fetch(archives, tmp_path, "--dry-run", "--json", "-")

    assert report_of(result)["plan"]["to_fetch"] == 0
    assert len(archives.queries) == queries


def test_a_limit_draws_the_same_galaxies_for_the_same_seed(
    archives: Archives, tmp_path: Path
) -> None:
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        al_fetch(archives, tmp_path / name, "--limit", "2", "--seed", seed)

    a, b, c = (files_in(tmp_path / name) for name in "abc")
    assert len([name for name in a if name.startswith("spectra/")]) == 2
    assert a == b
    assert a != c


def test_missing_files_are_named_and_the_exit_code_says_so(
    archives: Archives, tmp_path: Path, spectra: list[Path]
) -> None:
    del archives.files[next(p for p in archives.files if p.endswith(spectra[0].name))]

    result = al_fetch(archives, tmp_path)

    assert result.exit_code == 1
    assert f"missing: spectra/0266/{spectra[0].name}" in result.stderr
    assert archives.galaxies[0]["specObjID"] in result.stderr
    assert "1 file(s) are not in the archive" in str(result.exception)
    assert al_fetch(archives, tmp_path, "--allow-missing").exit_code == 0


def test_a_large_transfer_wants_a_yes(
    archives: Archives, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch_command, "ASK_ABOVE_BYTES", 10**6)

    refused = al_fetch(archives, tmp_path)
    fetched = al_fetch(archives, tmp_path, "--yes")

    assert refused.exit_code == 2
    assert "expected --yes for a transfer of 12.7 MB" in " ".join(
        refused.stderr.replace("│", " ").split()
    )
    assert fetched.exit_code == 0, fetched.output


@pytest.mark.parametrize(
    "words",
    [
        ("--release", "7"),
        ("--limit", "0"),
        ("--bands", "x"),
        ("--rate", "0"),
        ("--connections", "1000"),
        ("--checksums", "maybe"),
    ],
    ids=" ".join,
)
def test_bad_usage_ends_with_2_and_asks_nobody(
    archives: Archives, tmp_path: Path, words: tuple[str, str]
) -> None:
    assert al_fetch(archives, tmp_path, *words).exit_code == 2
    assert not archives.requests


def test_a_refused_query_ends_with_1_and_the_servers_words(
    archives: Archives, tmp_path: Path
) -> None:
    archives.faults["sql"] = [Fault(body=b"<html>Invalid column name 'zz'</html>")]

    result = al_fetch(archives, tmp_path, "--where", "s.zz > 1")

    assert result.exit_code == 1
    assert "Invalid column name 'zz'" in str(result.exception)
    assert not (tmp_path / "catalog.csv").exists()


def test_a_sample_without_objects_ends_with_1(
    archives: Archives, tmp_path: Path
) -> None:
    archives.galaxies.clear()

    result = al_fetch(archives, tmp_path)

    assert result.exit_code == 1
    assert "found no object" in str(result.exception)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["INT", "TERM"])
def test_a_signal_in_the_middle_leaves_only_whole_files_and_the_next_run_the_rest(
    archives: Archives, tmp_path: Path, spectra: list[Path], number: signal.Signals
) -> None:
    slow = spectra[2]
    archives.faults[slow.name] = [Fault(cut_after=50_000, hold=True)]
    command = [*AL, "fetch", str(tmp_path), "--bands", "", "--connections", "1"]
    command += ["--rate", "50", "--json", str(tmp_path / "report.json")]
    process = subprocess.Popen(
        command,
        env={**KEPT, **surroundings(archives)},
        stderr=subprocess.PIPE,
        text=True,
    )
    part = tmp_path / "spectra" / "0266" / f"{slow.name}.part"
    assert wait_until(
        lambda: part.exists() and part.stat().st_size == 50_000, seconds=END_SECONDS
    )
    process.send_signal(number)
    _, said = process.communicate(timeout=END_SECONDS)

    assert process.returncode == 1
    assert "the same command continues" in said
    report = json.loads((tmp_path / "report.json").read_text())
    assert not report["complete"]
    before = {name for name in files_in(tmp_path) if name.endswith(".fits")}
    assert f"spectra/0266/{slow.name}" not in before
    verify_files(tmp_path, json.loads((tmp_path / MANIFEST).read_text()))
    archives.requests.clear()

    again = al_fetch(archives, tmp_path, "--bands", "", "--json", "-")

    assert report_of(again)["complete"]
    asked = {
        request.path.rpartition("/")[2]: request.range for request in archives.requests
    }
    assert asked.pop(slow.name) == "bytes=50000-"
    assert len(asked) == len(spectra) - len(before) - 1
    assert not {f"spectra/0266/{name}" for name in asked} & before
    assert not [name for name in files_in(tmp_path) if name.endswith(".part")]
    for path in spectra:
        here = tmp_path / "spectra" / "0266" / path.name
        assert here.read_bytes() == path.read_bytes()


def test_a_signal_while_skyserver_thinks_ends_the_command(
    archives: Archives, tmp_path: Path
) -> None:
    archives.faults["sql"] = [Fault(cut_after=10, hold=True)]
    process = subprocess.Popen(
        [*AL, "fetch", str(tmp_path)],
        env={**KEPT, **surroundings(archives)},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert archives.held.acquire(timeout=END_SECONDS)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=END_SECONDS)

    assert process.returncode == 1
    assert "interrupted" in said
    assert not (tmp_path / "catalog.csv").exists()
