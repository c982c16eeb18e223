"""`docs/observe.py` stands in for the telescope, whatever pool knows its labels."""

import csv
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from al_service.survey.pool_arrays import PoolArrays
from tests.cli.commands import Commands, commands_on
from tests.conftest import PostgresForTests

ROOT = Path(__file__).parent.parent
GUIDE = (ROOT / "docs" / "simulation.md").read_text(encoding="utf-8")

WITHOUT_PIXELS = "[gaps]\nwithout_image = 1.0\nwithout_spectrum = 1.0\njunk = 0.2\n"
"""Objects that are made and written in no time, some of which are nothing."""


@pytest.fixture
def al(
    postgres: PostgresForTests, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Commands]:
    monkeypatch.chdir(tmp_path)
    with commands_on(postgres, "observe", tmp_path / "home") as commands:
        yield commands


def observe(al: Commands, *words: str) -> None:
    subprocess.run(
        [sys.executable, ROOT / "docs" / "observe.py", *words, "--home", al.home],
        check=True,
    )


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_simulated_pool_is_labeled_as_the_guide_says(
    al: Commands, tmp_path: Path
) -> None:
    (tmp_path / "own.toml").write_text(WITHOUT_PIXELS)
    al.json("pool", "simulate", "practice", "--objects", 256, "--settings", "own.toml")
    section = GUIDE.partition("## Label it")[2]
    (block,) = re.findall(r"```sh\n(.*?)```", section, flags=re.DOTALL)[:1]
    for program, *words in map(shlex.split, block.splitlines()):
        if program == "python":
            assert words[0] == "docs/observe.py"
            observe(al, *words[1:])
        elif "--wait" not in words:  # nobody works here
            result = al.run(*words)
            assert result.exit_code == 0, (words, result.output)
    batch = json.loads((tmp_path / "batch.json").read_text())
    rows = rows_of(tmp_path / "labels.csv")
    assert [row["object_id"] for row in rows] == [
        item["object_id"] for item in batch["items"]
    ]
    check_known(al, rows)
    stored = al.json("label", "import", "drill", "labels.csv")["labels"]
    nothing = [one for one in stored if not one["values"]]
    assert nothing, "junk has no redshift"
    assert {one["quality"] for one in nothing} == {0}


def check_known(al: Commands, rows: list[dict[str, Any]]) -> None:
    """Every target as the pool's own files have it."""
    (folder,) = (al.home / "artifacts" / "pools").glob("practice-*")
    pool = PoolArrays.open(folder)
    known = dict(zip(pool.object_ids.tolist(), pool.known_values, strict=True))
    for row in rows:
        for value, target in zip(known[row["object_id"]], pool.targets, strict=True):
            assert row[target] == ("" if np.isnan(value) else repr(float(value)))


def test_the_galaxies_that_come_with_the_service_are_labeled_too(
    al: Commands, tmp_path: Path
) -> None:
    al.json("campaign", "create", "first", "--pool", "sdss10k")
    al.run("batch", "next", "first", "--size", 5, "--json", "batch.json")
    observe(al, "batch.json", "labels.csv")
    assert all(0 < float(row["z"]) < 0.5 for row in rows_of(tmp_path / "labels.csv"))
    assert al.json("label", "import", "first", "labels.csv")["n_new"] == 5
