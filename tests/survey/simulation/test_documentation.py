"""docs/simulation.md is true: its commands exist, its program and its settings work."""

import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from al_service.cli.pool import app
from al_service.survey.simulation import objects
from al_service.survey.simulation.settings import read_settings

DOCS = Path(__file__).parents[3] / "docs"
GUIDE = (DOCS / "simulation.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, flags=re.DOTALL)


def test_every_command_takes_its_options() -> None:
    simulate = get_command(app).commands["simulate"]  # type: ignore[attr-defined]  # a group
    known = {option for each in simulate.params for option in each.opts}
    shell, _ = blocks("sh")
    for line in shell.splitlines():
        words = shlex.split(line)
        assert words[:3] == ["al", "pool", "simulate"]
        assert {word for word in words if word.startswith("--")} <= known


def test_the_settings_shown_are_settings(tmp_path: Path) -> None:
    (shown,) = blocks("toml")
    (tmp_path / "own.toml").write_text(shown)
    assert read_settings(tmp_path / "own.toml").gaps.without_spectrum == 0.7


def test_the_program_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (program,) = blocks("python")
    exec(program, {})  # noqa: S102  # it is ours, as documented
    assert "log_sfr_outside" in capsys.readouterr().out


def test_pictures_and_files_that_are_named_are_there() -> None:
    for picture in re.findall(r"!\[[^]]*\]\(([^)]+)\)", GUIDE):
        assert (DOCS / picture).is_file(), picture
    folder = Path(objects.__file__).parent
    named = set(re.findall(r"`([a-z_]+\.py)`", GUIDE))
    assert named
    assert named <= {path.name for path in folder.iterdir()}
