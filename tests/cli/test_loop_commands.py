"""The loop by hand: campaign, batch, label, curve, pool."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from al_service.cli.batch_table import prediction_text
from al_service.cli.home import account_name, read_settings
from al_service.cli.label_check import CHECKED, MOST_PROBLEMS
from al_service.cli.up import prepare
from al_service.errors import InvalidInput, InvalidLabels, NotFound
from tests.cli.commands import Commands, commands_on
from tests.conftest import PostgresForTests

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def al(
    postgres: PostgresForTests, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Commands]:
    """One home for all tests of this module: each opens a campaign of its own."""
    home = tmp_path_factory.mktemp("home")
    with commands_on(postgres, "commands", home) as commands:
        yield commands


@pytest.fixture
def campaign(al: Commands) -> str:
    """A campaign of the test's own."""
    name = f"night-{next(_numbers)}"
    assert al.run("campaign", "create", name, "--pool", "sdss10k").exit_code == 0
    return name


def test_the_whole_loop_by_hand(al: Commands, tmp_path: Path) -> None:
    created = al.json("campaign", "create", "night", "--pool", "sdss10k", "--seed", 3)
    assert (created["name"], created["pool"], created["seed"]) == (
        "night",
        "sdss10k",
        3,
    )
    assert created["targets"] == ["z"]
    assert created["strategy"]["name"] == "lcmd"

    batch = al.json("batch", "next", "night", "--size", 4, "--labeler", "anna")
    assert len(batch["items"]) == 4
    assert batch["labeler"] == "anna"

    ids = [item["object_id"] for item in batch["items"]]
    rows = [
        f"{ids[0]},0.1,0.001,4,",
        f"{ids[1]},0.2,,,",
        f'{ids[2]},-9999,,,"no, lines"',
    ]
    file = tmp_path / "labels.csv"
    file.write_text("\n".join(["object_id,z,z_err,quality,note", *rows]) + "\n")
    words = ("label", "import", "night", file, "--batch", batch["id"])
    stored = al.json(*words, "--labeler", "anna")["labels"]
    assert [one["values"] for one in stored] == [{"z": 0.1}, {"z": 0.2}, {}]
    assert [one["quality"] for one in stored] == [4, 4, 0]
    assert stored[0]["errors"] == {"z": 0.001}
    assert stored[2]["note"] == "no, lines"
    assert {one["source"] for one in stored} == {"labels.csv"}

    status = al.json("campaign", "status", "night")
    assert (status["counts"]["labels"], status["counts"]["leased"]) == (3, 1)
    assert status["next_retrain"]["labels"] == 48
    listed = al.json("campaign", "list")["items"]
    assert status in listed


def test_what_people_read_says_the_same(al: Commands, campaign: str) -> None:
    shown = al.run("batch", "next", campaign, "--size", 2).output
    assert "SDSS J" in shown
    assert "reserved for" in shown
    shown = al.run("campaign", "status", campaign).output
    assert "next retrain" in shown
    assert "in 50 labels" in shown


def test_pools_are_listed_and_checked_against_their_digests(al: Commands) -> None:
    (pool,) = al.json("pool", "list")["items"]
    assert (pool["name"], pool["known_targets"]) == ("sdss10k", ["z"])
    assert al.json("pool", "validate", "sdss10k")["valid"]
    assert isinstance(al.run("pool", "validate", "none").exception, NotFound)


def test_a_curve_is_drawn_before_there_is_one(
    al: Commands, campaign: str, tmp_path: Path
) -> None:
    picture = tmp_path / "curve.png"
    shown = al.run("curve", campaign, "--png", picture)
    assert shown.exit_code == 0
    assert "no published run yet" in shown.output
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert al.json("curve", campaign)["points"] == []


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--strategy", "guess"], "name"),
        (["--model", '{"dim": 7}'], "dim"),
        (["--model", '{"depth": 3}'], "depth"),
        (["--model", "dim=7"], "--model"),
        (["--retrain", '{"full": {"labels": 0, "seconds": 1}}'], "labels"),
        (["--random-share", "1.5"], "random_share"),
        (["--seed", "-1"], "seed"),
    ],
)
def test_a_bad_setting_is_bad_usage_that_names_it(
    al: Commands, options: list[str], named: str
) -> None:
    result = al.run("campaign", "create", "night", "--pool", "sdss10k", *options)
    assert result.exit_code == 2
    assert named in result.output


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "found"),
        ("object_id,z\n", "expected at least one row"),
        ("id,z\n1,0.1\n", "expected a first line with object_id"),
        ("object_id,z,mass\nx,0.1,9\n", "mass"),
        ("object_id,z,z\nx,0.1,0.1\n", "'z' as columns 2 and 3"),
        ("object_id,z\nx,0.1,0.2\n", "labels.csv:2"),
        ("object_id,z\nx,high\n", "labels.csv:2: z"),
        ("object_id,z,quality\n,0.1,good\n", "labels.csv:2: quality"),
        ("object_id,z\nnothing,0.1\n", "labels.csv:2: object_id"),
        ('object_id,z\n"x,0.1\n', "labels.csv:2: expected CSV"),
        ("object_id;z\nx;0.1\n", "separated by semicolons"),
        ("object_id\tz\nx\t0.1\n", "separated by tabs"),
        ("object_id,z\nx,0.1\ny,0.1\nx,0.2\n", "x is on line 2 as well"),
    ],
)
def test_a_bad_file_is_refused_with_the_place(
    al: Commands, campaign: str, tmp_path: Path, content: str, message: str
) -> None:
    file = tmp_path / "labels.csv"
    file.write_text(content)
    result = al.run("label", "import", campaign, file)
    assert isinstance(result.exception, InvalidInput | InvalidLabels)
    assert message in str(result.exception)
    assert al.json("campaign", "status", campaign)["counts"]["labels"] == 0


def test_a_batch_that_cannot_be_written_is_not_reserved(
    al: Commands, campaign: str, tmp_path: Path
) -> None:
    """The lease was committed first: nobody ever saw the batch."""
    file = tmp_path / "not a folder"
    file.touch()
    result = al.run("batch", "next", campaign, "--json", file / "batch.json")
    assert isinstance(result.exception, OSError)
    assert isinstance(
        al.run("batch", "next", campaign, "--json", tmp_path).exception, OSError
    )
    assert al.json("campaign", "status", campaign)["counts"]["leased"] == 0
    target = tmp_path / "new" / "batch.json"
    assert al.run("batch", "next", campaign, "--json", target).exit_code == 0
    assert len(json.loads(target.read_text())["items"]) == 10


def test_a_long_file_is_stored_in_parts_that_can_be_repeated(
    al: Commands, campaign: str, tmp_path: Path
) -> None:
    """One transaction of any length held its locks until the last row."""
    items = al.json("batch", "next", campaign, "--size", 2500)["items"]
    ids = [item["object_id"] for item in items]
    file = tmp_path / "labels.csv"
    file.write_text(f"object_id,z\n{ids[-1]},0.5\n")
    (before,) = al.json("label", "import", campaign, file)["labels"]
    rows = [f"{name},0.1" for name in ids]
    file.write_text("\n".join(["object_id,z", *rows]) + "\n")

    refused = al.run("label", "import", campaign, file)

    assert isinstance(refused.exception, InvalidLabels)
    assert "labels.csv:2501: supersedes" in str(refused.exception)
    assert al.json("campaign", "status", campaign)["counts"]["labels"] == 1

    rows[-1] = f"{ids[-1]},0.5"
    file.write_text("\n".join(["object_id,z", *rows]) + "\n")
    stored = al.json("label", "import", campaign, file)["labels"]
    assert [one["object_id"] for one in stored] == ids
    assert stored[-1]["id"] == before["id"]
    moments = [one["created_at"] for one in stored[:-1]]
    assert len(set(moments)) == 3, "three transactions"
    assert al.json("label", "import", campaign, file)["labels"] == stored


def test_every_bad_row_of_a_file_is_named(
    al: Commands, campaign: str, tmp_path: Path
) -> None:
    batch = al.json("batch", "next", campaign, "--size", 2)
    first, second = (item["object_id"] for item in batch["items"])
    file = tmp_path / "labels.csv"
    file.write_text(f"object_id,z\n{first},0.1\n{second},99\nnobody,0.1\n")
    result = al.run("label", "import", campaign, file)
    assert isinstance(result.exception, InvalidLabels)
    places = [problem.where for problem in result.exception.problems]
    assert places == [f"{file}:3: values.z", f"{file}:4: object_id"]


def test_every_kind_of_mistake_is_named_at_once(
    al: Commands, campaign: str, tmp_path: Path
) -> None:
    """Each kind hid the next: a file was mended and refused, again and again."""
    batch = al.json("batch", "next", campaign, "--size", 3)
    first, second, third = (item["object_id"] for item in batch["items"])
    file = tmp_path / "labels.csv"
    file.write_text(f"object_id,z\n{third},0.3\n")
    al.json("label", "import", campaign, file)
    rows = [f"{first},0.1", f"{second},high", "nobody,0.1", f"{third},0.4", "x,9,9"]
    file.write_text("\n".join(["object_id,z", *rows, f"{first},0.2"]) + "\n")
    result = al.run("label", "import", campaign, file)
    assert isinstance(result.exception, InvalidLabels)
    assert [problem.where for problem in result.exception.problems] == [
        f"{file}:3: z",
        f"{file}:4: object_id",
        f"{file}:5: supersedes",
        f"{file}:6",
        f"{file}:7: object_id",
    ]
    assert "labels[" not in str(result.exception)
    assert al.json("campaign", "status", campaign)["counts"]["labels"] == 1


def test_a_wrong_file_is_refused_after_its_first_thousand_problems(
    al: Commands, campaign: str, tmp_path: Path
) -> None:
    """A million unknown ids took minutes, in silence, and filled the terminal."""
    file = tmp_path / "labels.csv"
    rows = [f"nobody-{number},0.1" for number in range(3 * CHECKED)]
    file.write_text("\n".join(["object_id,z", *rows]) + "\n")
    result = al.run("label", "import", campaign, file)
    assert isinstance(result.exception, InvalidLabels)
    assert len(result.exception.problems) == MOST_PROBLEMS
    said = str(result.exception).splitlines()
    assert len(said) == MOST_PROBLEMS + 1
    assert f"and {CHECKED - MOST_PROBLEMS} more" in said[0]
    assert f"{2 * CHECKED} further lines were not looked at" in said[0]
    assert "labels.csv:2: object_id: 'nobody-0' is not in" in said[1]


@pytest.mark.usefixtures("al")  # its database
def test_a_home_that_is_new_is_named(tmp_path: Path) -> None:
    """A mistyped --home made a new one in silence, and the campaign was not found."""
    typo = Commands(tmp_path / "tpyo")
    result = typo.run("campaign", "status", "night")
    assert f"{tmp_path / 'tpyo'} is new: a home is made there" in result.stderr
    assert "is new" not in typo.run("campaign", "status", "night").stderr


def test_a_person_has_one_name_at_every_door(al: Commands, campaign: str) -> None:
    batch = al.json("batch", "next", campaign, "--size", 1)
    assert batch["labeler"] == account_name()
    settings = read_settings(al.home).model_copy(update={"home": al.home})
    secret = prepare(settings)
    names = {token["name"] for token in al.json("token", "list")["items"]}
    assert names == {account_name()}
    assert prepare(settings) == secret


@pytest.mark.parametrize(
    ("mean", "epistemic", "aleatoric", "shown"),
    [
        (0.12345, 0.012, 0.009, "0.123±0.015"),
        (-0.0392, 0.12, 0.095, "-0.04±0.15"),
        (12.3456, 3.0, 4.0, "12.3±5.0"),
        (123.456, 30.0, 40.0, "123±50"),
        (0.5, 0.0, 0.0, "0.5"),
    ],
)
def test_a_prediction_has_as_many_digits_as_its_deviation_bears(
    mean: float, epistemic: float, aleatoric: float, shown: str
) -> None:
    found = {"mean": mean, "epistemic": epistemic, "aleatoric": aleatoric}
    assert prediction_text(found) == shown
