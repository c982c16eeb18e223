"""docs/fetching.md is true: its commands run, its table is the catalog's header."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from al_service.cli.fetch import app
from al_service.fetch.patience import LONGEST_WAIT_SECONDS, Patience
from al_service.fetch.sample import COLUMNS
from al_service.fetch.sas import BANDS, FIRST_RELEASE, LAST_RELEASE
from al_service.fetch.transfer import Manners
from al_service.survey.atomic_folder import MANIFEST
from tests.fetch.archives import Archives
from tests.fetch.stock import galaxy, stock

PAGE = (Path(__file__).parents[2] / "docs" / "fetching.md").read_text(encoding="utf-8")


@pytest.fixture
def archives() -> Iterator[Archives]:
    with Archives() as archives:
        stock(archives, [])
        archives.galaxies = [galaxy(266, 51602, 1 + i, number=i) for i in range(3)]
        yield archives


def commands() -> list[list[str]]:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL)
    return [shlex.split(line)[2:] for block in blocks for line in block.splitlines()]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_of_the_page_runs(
    archives: Archives,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)

    result = CliRunner().invoke(
        app,
        [*words, "--rate", "50", "--allow-missing"],  # nothing lies in this archive
        env={"AL_SKYSERVER_URL": archives.url, "AL_ARCHIVE_URL": archives.archive_url},
    )

    assert result.exit_code == 0, result.output
    assert "3 galaxies: 3 spectra" in result.stderr
    if "--dry-run" not in words:
        manifest = json.loads((tmp_path / words[0] / MANIFEST).read_text())
        assert len(manifest["lacking"]) >= 3
    if "--where" in words:
        assert f"({words[words.index('--where') + 1]})" in archives.queries[0]


def test_the_table_of_the_page_names_every_column_and_no_other() -> None:
    rows = re.findall(r"^\| (`[^|]*`) \|", PAGE, flags=re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`([^`]+)`", row)}
    spelled = {
        one
        for name in named
        for one in ([name[:-1] + band for band in BANDS] if "*" in name else [name])
    }
    between = {
        "sfr_tot_p16",
        "sfr_tot_p50",
        "sfr_tot_p84",
    }  # an ellipsis stands for them
    assert spelled | between == set(COLUMNS)


def test_the_numbers_of_the_page_are_those_of_the_program() -> None:
    manners = Manners()
    assert f"`--connections {manners.connections}`" in PAGE
    assert f"`--rate {manners.per_second:g}`" in PAGE
    assert f"`--release` is {FIRST_RELEASE} to {LAST_RELEASE}" in PAGE
    assert f"more than {LONGEST_WAIT_SECONDS / 60:.0f} minutes" in PAGE
    patience = Patience()
    assert (patience.first_seconds, patience.longest_seconds) == (1.0, 60.0)
    assert "waits 1, 2, 4 … 60 s" in PAGE
