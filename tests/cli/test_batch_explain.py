"""`al batch explain` and `al batch replay` on a first ranking."""

import json
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from al_service.cli.home import workplace
from al_service.errors import NotFound
from al_service.rounds import retraining
from db.tables import Run
from tests.cli.commands import Commands, commands_on
from tests.conftest import PostgresForTests


@pytest.fixture(scope="module")
def al(
    postgres: PostgresForTests, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Commands]:
    home = tmp_path_factory.mktemp("home")
    with commands_on(postgres, "explained", home) as commands:
        yield commands


@pytest.fixture(scope="module")
def batch(al: Commands) -> int:
    """A batch that walks the first ranking of a campaign."""
    strategy = json.dumps({"name": "epig", "cold_start": "covering"})
    arguments = ("--pool", "sdss10k", "--strategy", strategy)
    assert al.run("campaign", "create", "night", *arguments).exit_code == 0
    with workplace(al.home) as place:
        with place.sessions.begin() as session:
            run_id = session.scalars(select(Run.id)).one()
        retraining.carry_out(
            run_id,
            sessions=place.sessions,
            artifacts=place.settings.artifacts_folder,
            worker="test",
            settings=place.settings,
        )
    return int(al.json("batch", "next", "night", "--size", 5)["id"])


def test_a_batch_is_explained_in_words_and_in_json(al: Commands, batch: int) -> None:
    found = al.json("batch", "explain", batch)
    said = al.run("batch", "explain", batch)

    assert found["strategy"]["cold_start"] == "covering"
    assert len(found["items"]) == 5
    assert said.exit_code == 0
    assert "order of score run" in said.output
    assert found["items"][0]["object_id"] in said.output


def test_a_batch_is_ordered_again_and_a_change_is_seen(
    al: Commands, batch: int
) -> None:
    assert al.json("batch", "replay", batch)["same_order"] is True
    with workplace(al.home) as place:
        orders = place.settings.artifacts_folder / "orders"
    (path,) = orders.glob("*.json")
    kept = path.read_text()
    path.write_text(json.dumps(json.loads(kept) | {"seed": 1}))

    changed = al.run("batch", "replay", batch)

    path.write_text(kept)
    assert changed.exit_code == 1
    assert "expected the order" in changed.output


def test_a_batch_that_does_not_exist_is_named(al: Commands) -> None:
    result = al.run("batch", "explain", 12345)

    assert result.exit_code == 1
    assert isinstance(result.exception, NotFound)
