"""The main job, shortened: two campaigns over HTTP, by real processes, from nothing."""

import json
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.running import al, processes_of
from tests.folders import new_folder

ROUNDS = 2
INITIAL = 60
BATCH = 50

ERRORS = {"rmse", "mae", "r2", "bias", "crps", "nll", "coverage68", "coverage95"}
REDSHIFT_ERRORS = {"rmse_norm", "sigma_mad", "outlier_fraction"}


@pytest.mark.timeout(900)  # five minutes on two idle cores; test machines are shared
def test_the_demo_goes_from_nothing_to_two_learning_curves_and_leaves_no_process() -> (
    None
):
    with new_folder() as folder:
        home = folder / "home"
        done = al(
            "demo",
            *("--home", home, "--json", "-"),
            *("--rounds", ROUNDS, "--initial", INITIAL, "--batch", BATCH),
            seconds=800,
        )

        assert done.returncode == 0, done.stderr
        assert processes_of(home) == []
        summary = json.loads(done.stdout)
        assert summary == json.loads((home / "summary.json").read_text())
        _check_summary(summary)
        _check_picture(home / "learning-curve.png")


def _check_summary(summary: dict[str, object]) -> None:
    assert summary["modalities"] == ["photometry"]
    assert isinstance(summary["n_parameters"], int)
    assert isinstance(summary["wall_seconds"], float)
    assert "label_ratio_vs_random" in summary
    rounds = summary["rounds"]
    assert isinstance(rounds, list)
    counts = [INITIAL + BATCH * number for number in range(ROUNDS + 1)]
    assert [one["n_labels"] for one in rounds] == counts
    assert [one["round"] for one in rounds] == list(range(ROUNDS + 1))
    for one in rounds:
        assert set(one["metrics"]["z"]) == ERRORS | REDSHIFT_ERRORS
        assert set(one["random"]["z"]) == ERRORS | REDSHIFT_ERRORS
        assert set(one["seconds"]) == {"ask", "tell", "train", "score"}
        assert all(seconds > 0 for seconds in one["seconds"].values())
    # It learned: a hundred more labels than the first sixty cannot leave it as it was.
    first, last = (rounds[index]["metrics"]["z"]["rmse_norm"] for index in (0, -1))
    assert last < first


def _check_picture(path: Path) -> None:
    with Image.open(path) as picture:
        picture.verify()
        assert picture.format == "PNG"
        assert picture.width > 800
