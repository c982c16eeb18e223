"""`al label import` takes our own columns out of any table, and surveys' files."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.table import Table

from al_service.errors import InvalidLabels
from al_service.survey.sdss10k import read_sdss10k
from al_service.survey.splits import split_of
from tests.cli.commands import Commands, commands_on
from tests.conftest import PostgresForTests

WRITTEN = {
    "ecsv": "ascii.ecsv",
    "fits": "fits",
    "vot": "votable",
    "parquet": "",
    "csv": "ascii.csv",
}


@pytest.fixture(scope="module")
def al(
    postgres: PostgresForTests, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Commands]:
    home = tmp_path_factory.mktemp("home")
    with commands_on(postgres, "label_formats", home) as commands:
        yield commands


def names_of(split: str, count: int) -> list[str]:
    columns, _ = read_sdss10k()
    rows = zip(columns.object_ids.tolist(), columns.group_ids.tolist(), strict=True)
    return [name for name, group in rows if split_of(0, group) == split][:count]


def write(table: Table, path: Path) -> Path:
    kind = WRITTEN[path.suffix[1:]]
    if kind:
        table.write(path, format=kind)
    else:
        names = table.colnames
        pq.write_table(pa.table({name: table[name].tolist() for name in names}), path)
    return path


@pytest.mark.parametrize("suffix", WRITTEN)
def test_labels_as_we_export_them_come_back_from_any_table(
    al: Commands, tmp_path: Path, suffix: str
) -> None:
    first, second, third = names_of("pool", 3)
    table = Table({"id": [1, 2, 3], "object_id": [first, second, third]})
    table["z"], table["z_err"] = [0.1, 0.123456789012345, 0.3], [1e-4, 2e-4, 3e-4]
    table["quality"], table["labeler"] = [4, 3, 4], ["anna", "ben", "anna"]
    table["superseded_by"] = ["", "", "9"]
    path = write(table, tmp_path / f"labels.{suffix}")
    al.run("campaign", "create", f"of-{suffix}", "--pool", "sdss10k")

    stored = al.json("label", "import", f"of-{suffix}", path)["labels"]

    said = {(one["object_id"], one["labeler"]): one for one in stored}
    assert set(said) == {(first, "anna"), (second, "ben")}
    ben = said[second, "ben"]
    assert ben["values"] == {"z": 0.123456789012345}, "to the last digit"
    assert (ben["errors"], ben["quality"]) == ({"z": 2e-4}, 3)
    assert al.json("label", "import", f"of-{suffix}", path)["labels"] == stored


def test_a_bad_row_of_a_table_is_named_by_its_number(
    al: Commands, tmp_path: Path
) -> None:
    al.run("campaign", "create", "bad", "--pool", "sdss10k")
    names = [*names_of("pool", 2), "nobody"]
    path = write(
        Table({"object_id": names, "z": [0.1, 99.0, 0.1]}), tmp_path / "a.fits"
    )
    error = al.run("label", "import", "bad", path).exception
    assert isinstance(error, InvalidLabels)
    places = [problem.where for problem in error.problems]
    assert places == [f"{path}: row 2: values.z", f"{path}: row 3: object_id"]


def test_a_survey_s_file_brings_what_the_campaign_can_use(
    al: Commands, tmp_path: Path
) -> None:
    columns, _ = read_sdss10k()
    place = {name: row for row, name in enumerate(columns.object_ids.tolist())}
    rows = [place[name] for name in names_of("pool", 2) + names_of("evaluation", 1)]
    table = Table({"specobjid": ["1024", "2048", "3072", "4096"]})
    table["ra"] = [*columns.ra[rows], 1.0]
    table["dec"] = [*columns.dec[rows], -89.0]
    table["z"], table["zwarning"] = [0.1, 0.2, 0.3, 0.4], [0, 4, 0, 0]
    path = write(table, tmp_path / "specobj.csv")
    al.run("campaign", "create", "survey", "--pool", "sdss10k", "--evaluation-size", 0)

    told = al.json("label", "import", "survey", path, "--match", "position")

    assert [one["values"] for one in told["labels"]] == [{"z": 0.1}, {"z": 0.2}]
    assert [one["quality"] for one in told["labels"]] == [4, 1]
    assert told["left_out"] == {"not in the pool": 1, "held out or excluded": 1}
