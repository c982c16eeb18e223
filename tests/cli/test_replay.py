import json
import os
import signal
import subprocess
from pathlib import Path

from typer.testing import CliRunner, Result

from al_service.cli.replay import app
from tests.cli.running import AL

SMALLEST = ["--seeds", "1", "--initial", "20", "--batch", "10", "--rounds", "1"]


def al_replay(home: Path, *words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--home", str(home)])


def test_json_on_standard_output_is_alone_and_progress_goes_to_standard_error(
    tmp_path: Path,
) -> None:
    result = al_replay(tmp_path, "--strategies", "default", *SMALLEST, "--json", "-")

    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert set(report["strategies"]) == {"default", "random"}
    assert report["strategies"]["default"]["curves"][0]["points"][1]["n_labels"] == 30
    assert "4/4 points" in result.stderr
    assert "ratios to random" in result.stderr


def test_an_unknown_strategy_is_bad_usage_and_the_known_ones_are_named(
    tmp_path: Path,
) -> None:
    result = al_replay(tmp_path, "--strategies", "lcdm,random", *SMALLEST)

    assert result.exit_code == 2
    said = " ".join(result.stderr.replace("│", " ").split())
    assert "expected names out of default, random, top_variance, lcmd" in said
    assert "found 'lcdm'" in said


def test_a_number_out_of_range_is_bad_usage(tmp_path: Path) -> None:
    result = al_replay(tmp_path, "--seeds", "0")

    assert result.exit_code == 2
    assert "seeds" in result.stderr


def test_spoiled_shares_are_in_the_report_and_in_the_title(tmp_path: Path) -> None:
    words = ["--strategies", "random", *SMALLEST, "--wrong-labels", "0.25"]
    page = tmp_path / "replay.html"

    result = al_replay(
        tmp_path, *words, "--junk", "0.1", "--json", "-", "--html", str(page)
    )

    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["settings"]["wrong_labels"] == 0.25
    assert report["settings"]["junk"] == 0.1
    spoiled = report["strategies"]["random"]["spoiled_labels"]
    assert set(spoiled) == {"wrong_labels", "junk"}
    assert 0 < spoiled["wrong_labels"] < 30
    said = " ".join(result.stderr.split())
    assert "25 % wrong labels, 10 % junk" in said
    assert "20 + 1 x 10 labels, 25 % wrong labels, 10 % junk" in page.read_text()


def test_a_share_of_half_or_none_at_all_is_bad_usage(tmp_path: Path) -> None:
    for option, share in (("--junk", "0.5"), ("--wrong-labels", "nan")):
        result = al_replay(tmp_path, option, share)

        assert result.exit_code == 2
        assert option.removeprefix("--").replace("-", "_") in result.stderr


def test_more_labels_than_the_pool_has_fail_with_the_numbers(tmp_path: Path) -> None:
    result = al_replay(tmp_path, "--strategies", "random", "--rounds", "1000")

    assert result.exit_code == 1
    assert "expected at least 128128 galaxies" in str(result.exception)


def test_ctrl_c_ends_every_process_with_one_sentence(tmp_path: Path) -> None:
    """Each process of the replay wrote a traceback of its own."""
    replaying = subprocess.Popen(
        [
            *AL,
            "replay",
            "--seeds",
            "50",
            *SMALLEST[2:],
            "--home",
            str(tmp_path),
            "--json",
            "-",
        ],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a group, as a terminal makes one
    )
    assert replaying.stderr is not None
    while "/200 points" not in (line := replaying.stderr.readline()):
        assert line, "it ended by itself"
    os.killpg(replaying.pid, signal.SIGINT)
    _, said = replaying.communicate(timeout=60)
    assert replaying.returncode == 1
    assert "interrupted; finished curves are kept: the same command continues" in said
    assert "Traceback" not in said
