"""`al pool simulate` at the command line."""

import signal
import subprocess
from pathlib import Path

import pytest

from al_service.local.processes import wait_until
from tests.cli.commands import Commands, commands_on
from tests.cli.running import AL
from tests.conftest import PostgresForTests


@pytest.fixture
def commands(tmp_path: Path) -> Commands:
    return Commands(tmp_path / "home")


def test_a_pool_is_simulated_with_chosen_shares_and_is_there_when_repeated(
    commands: Commands, tmp_path: Path
) -> None:
    (tmp_path / "own.toml").write_text("[gaps]\nwithout_labels = 0.5\n")
    words = (
        "pool", "simulate", "dark", "--objects", 100, "--seed", 3,
        "--settings", tmp_path / "own.toml",
        "--without-spectrum", 0.7, "--without-image", 0, "--junk", 0,
    )  # fmt: skip
    report = commands.json(*words)
    assert report["objects"] == report["galaxies"] == report["images"] == 100
    assert 10 <= report["spectra"] <= 50
    assert 30 <= report["known_labels"] <= 70
    again = commands.json(*words)
    assert again["unchanged"]
    assert again["manifest_digest"] == report["manifest_digest"]
    listed = commands.json("pool", "list")["items"]
    assert "dark" in [pool["name"] for pool in listed]
    assert commands.json("pool", "validate", "dark")["valid"]


def test_the_plan_is_shown_and_a_large_one_wants_a_yes(commands: Commands) -> None:
    shown = commands.run("pool", "simulate", "dark", "--objects", 1000, "--dry-run")
    assert shown.exit_code == 0
    assert "1,000 objects: 950 images and 700 spectra, about 104.7 MB" in shown.stderr
    refused = commands.run("pool", "simulate", "dark", "--objects", 10**6)
    assert refused.exit_code == 2
    assert "--yes" in refused.output
    assert not commands.home.exists(), "nothing has begun"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_survey_that_is_interrupted_leaves_nothing(
    postgres: PostgresForTests, tmp_path: Path, number: signal.Signals
) -> None:
    """SIGTERM left a hidden folder of gigabytes behind."""
    pools = tmp_path / "home" / "artifacts" / "pools"
    with commands_on(postgres, "interrupted", tmp_path / "home"):
        simulating = subprocess.Popen(
            [*AL, "pool", "simulate", "x", "--objects", "99999", "--yes", "--home",
             str(tmp_path / "home")],
            stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        assert wait_until(lambda: bool([*pools.glob(".x.partial-*/image")]), seconds=99)
        simulating.send_signal(number)
        _, said = simulating.communicate(timeout=99)
    assert simulating.returncode == 1
    assert "interrupted; nothing of it is left: repeat the command" in said
    assert [path.name for path in pools.iterdir()] == [".x.lock"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--objects", "0"), "--objects"),
        (("--objects", "99999999999"), "--objects"),
        ((), "--objects"),
        (("--objects", "5", "--junk", "1.5"), "--junk"),
        (("--objects", "5", "--settings", "nowhere.toml"), "nowhere.toml"),
    ],
)
def test_a_mistake_is_named(
    commands: Commands, words: tuple[str, ...], said: str
) -> None:
    refused = commands.run("pool", "simulate", "dark", *words)
    assert refused.exit_code == 2
    assert said in refused.output


def test_a_settings_file_that_makes_no_sense_is_refused(
    commands: Commands, tmp_path: Path
) -> None:
    (tmp_path / "own.toml").write_text("[gaps]\njunks = 0.5\n")
    refused = commands.run(
        "pool", "simulate", "dark", "--objects", 5, "--settings", tmp_path / "own.toml"
    )
    assert refused.exit_code != 0
    assert "junks" in str(refused.exception) + refused.output
