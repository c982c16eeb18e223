"""What `al pool import` says of a pool that it has made."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.commands import Commands, commands_on
from tests.conftest import PostgresForTests
from tests.survey.catalogs.tables import galaxies, write_csv


@pytest.fixture
def al(postgres: PostgresForTests, tmp_path: Path) -> Iterator[Commands]:
    with commands_on(postgres, "pool_import", tmp_path / "home") as commands:
        yield commands


def test_a_catalog_whose_fluxes_are_not_recognized_is_no_silent_success(
    al: Commands, tmp_path: Path
) -> None:
    """Models would have had nothing to look at, and nobody would have known why."""
    write_csv(galaxies(), tmp_path / "known.csv")
    assert (
        "photometry"
        not in al.run(
            "pool", "import", "known", "--catalog", tmp_path / "known.csv"
        ).output
    )
    write_csv(galaxies()["objid", "ra", "dec", "z"], tmp_path / "bare.csv")
    bare = al.run("pool", "import", "bare", "--catalog", tmp_path / "bare.csv")
    assert bare.exit_code == 0
    assert "no object has photometry: where the catalog has fluxes" in bare.output
