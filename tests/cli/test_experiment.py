import json
import re
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from al_service.cli.experiment import app
from tests.cli.running import AL, KEPT, al


def al_experiment(*words: str) -> Result:
    return CliRunner().invoke(app, [*words])


def test_systems_are_listed_with_family_and_inputs() -> None:
    result = al_experiment("systems", "--json", "-")

    assert result.exit_code == 0, result.output
    systems = {one["system"]: one for one in json.loads(result.stdout)}
    assert systems["marginal"] == {
        "system": "marginal",
        "family": "floor",
        "inputs": [],
    }
    assert systems["dual_stream_concat"]["inputs"] == ["image", "spectrum"]


def test_a_quick_run_writes_json_markdown_and_goes_on_where_it_was(
    tmp_path: Path,
) -> None:
    words = [
        *("run", "--quick", "--train", "60", "--test", "40"),
        *("--home", str(tmp_path), "--markdown", str(tmp_path / "table.md")),
    ]
    al_experiment(*words, "--systems", "marginal")

    result = al_experiment(
        *words, "--systems", "marginal, linear_photometry", "--json", "-"
    )

    assert result.exit_code == 0, result.output
    assert not [line for line in result.stderr.splitlines() if "…" in line]
    assert re.search(
        r"marginal +nothing( +-?[\d.]+){5} *$", result.stderr, re.MULTILINE
    )
    report = json.loads(result.stdout)
    assert [row["system"] for row in report["rows"]] == [
        "marginal",
        "linear_photometry",
    ]
    assert "1/2 trials, linear_photometry-0 begins" in result.stderr
    assert "2/2 trials" in result.stderr
    assert re.search(r"linear_photometry-0: [\d.]+ s to fit", result.stderr)
    assert "marginal-0: " not in result.stderr
    assert "| linear_photometry | photometry |" in (tmp_path / "table.md").read_text()


def test_a_system_that_a_pool_cannot_feed_is_bad_usage(tmp_path: Path) -> None:
    result = al_experiment("run", "--systems", "image_cnn", "--home", str(tmp_path))

    assert result.exit_code == 2
    said = " ".join(result.stderr.replace("│", " ").split())
    assert "expected some of marginal" in said
    assert "found image_cnn" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--seeds", "0"), "--seeds"),
        (("--train", "5"), "--train"),
        (("--systems", "linear_al"), "found 'linear_al': linear_all?"),
        (("--systems", "marginal,marginal"), "found 'marginal' twice"),
        (("--systems", ","), "expected names or all, found ','"),
        (("--json", "one", "--markdown", "./one"), "found --json and --markdown"),
    ],
)
def test_what_is_mistyped_is_refused_before_a_home_is_made(
    tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    home = tmp_path / "home"

    result = al_experiment("run", *words, "--home", str(home))

    assert result.exit_code == 2
    assert said in " ".join(result.stderr.replace("│", " ").split())
    assert not home.exists()


def test_a_report_that_could_not_be_written_is_refused_before_anything_is_done(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").touch()
    home = tmp_path / "home"

    result = al_experiment(
        *("run", "--quick", "--systems", "marginal", "--home", str(home)),
        *("--html", str(tmp_path / "file" / "page.html")),
    )

    assert result.exit_code == 2
    assert "--html" in result.stderr
    assert not home.exists()


def test_who_is_interrupted_hears_what_is_kept(tmp_path: Path) -> None:
    words = ("run", "--systems", "marginal,random_forest_photometry")
    with subprocess.Popen(
        [*AL, "experiment", *words, "--home", str(tmp_path)],
        env=KEPT,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as command:
        assert command.stdout is not None
        said = next(
            line for line in command.stdout if "forest_photometry-0 beg" in line
        )
        command.terminate()
        _, error = command.communicate(timeout=60)

    assert "1/2 trials" in said
    assert command.returncode == 1
    assert error.endswith("finished trials are kept: the same command goes on\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_report_that_finds_the_disk_full_loses_no_table(tmp_path: Path) -> None:
    words = ("run", "--quick", "--train", "60", "--test", "40", "--systems", "marginal")
    shown = al("experiment", *words, "--home", tmp_path, "--json", "/dev/full")

    assert shown.returncode == 1
    assert re.search(r"marginal +nothing", shown.stdout)
    assert "No space left on device" in shown.stderr


def test_markdown_goes_to_standard_output_alone_and_folders_are_made(
    tmp_path: Path,
) -> None:
    report = tmp_path / "new" / "folder" / "report.json"

    result = al_experiment(
        *("run", "--quick", "--train", "60", "--test", "40", "--systems", "marginal"),
        *("--home", str(tmp_path), "--markdown", "-", "--json", str(report)),
    )

    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("# Experiment")
    assert "experiment: " not in result.stdout
    assert json.loads(report.read_text())["rows"]


def test_two_reports_on_standard_output_are_bad_usage(tmp_path: Path) -> None:
    result = al_experiment(
        *("run", "--json", "-", "--markdown", "-", "--home", str(tmp_path))
    )

    assert result.exit_code == 2
    said = " ".join(result.stderr.replace("│", " ").split())
    assert "found --json and --markdown" in said
