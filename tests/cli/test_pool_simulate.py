"""`al pool simulate` at the command line."""

from pathlib import Path

import pytest

from tests.cli.commands import Commands


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


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--objects", "0"), "--objects"),
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
