"""docs/exports.md is true: its commands run, its tables name every column."""

import re
import shlex
from pathlib import Path

import pytest

from al_service.client import Client
from al_service.exports.columns import Column
from al_service.exports.label_table import label_table_columns
from al_service.exports.target_list import target_list_columns
from al_service.survey.targets import DEFAULT_TARGETS
from db.vocabulary import Role
from tests.api.conftest import Door
from tests.api.conftest import door as door  # fixtures
from tests.api.conftest import sky as sky
from tests.cli.commands import Commands
from tests.exports.tables import plain

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "exports.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Out again")[2]


def commands() -> list[list[str]]:
    readme = README.partition("##")[0]
    blocks = re.findall(r"```sh\n(.*?)```", PAGE + readme, flags=re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    return [shlex.split(line, comments=True)[1:] for line in lines]


@pytest.fixture(scope="module")
def url(door: Door) -> str:
    """A service with a batch and labels, as the page has it."""
    address = f"{door.url}/?token={door.secrets[Role.ADMIN]}"
    with Client(address) as client:
        client.create_campaign("first", pool="little", targets=["z"])
        batch = client.ask("first", 3)
        assert batch.id == 1
        labels = [
            {"object_id": one.object_id, "values": {"z": 0.1}} for one in batch.items
        ]
        client.tell("first", labels, batch_id=1)
    return address


@pytest.fixture
def al(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AL_URL", url)
    return Commands(tmp_path / "home")


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_of_the_page_leaves_a_whole_file(
    al: Commands, tmp_path: Path, words: list[str]
) -> None:
    report = al.json(*words)

    written = [path for path in tmp_path.iterdir() if path.is_file()]
    assert [path.name for path in written] == [report["file"]]
    assert written[0].stat().st_size == report["bytes"]
    if "-o" in words:
        assert report["file"] == words[words.index("-o") + 1]


def test_every_program_of_the_page_runs(al: Commands) -> None:
    al.run("label", "export", "first", "--format", "parquet", "-o", "labels.parquet")
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(program, "exports.md", "exec"), names)  # noqa: S102 - our own page
    assert plain(names["table"]["z"]) == [0.1] * 3  # type: ignore[index]  # a Table


def test_standard_output_carries_the_table_alone(al: Commands) -> None:
    result = al.run("label", "export", "first", "-o", "-")
    assert result.exit_code == 0
    assert result.stdout.startswith("id,object_id,ra,dec,z,z_err,quality")
    assert len(result.stdout.splitlines()) == 4
    both = al.run("label", "export", "first", "-o", "-", "--json", "-")
    assert both.exit_code != 0


def test_without_a_stack_there_is_advice_and_no_new_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = Commands(tmp_path / "nowhere").run("batch", "export", 1)
    assert result.exception is not None
    assert "start one with al up" in str(result.exception)
    assert list(tmp_path.iterdir()) == []


def test_a_batch_that_is_not_there_leaves_no_file(al: Commands, tmp_path: Path) -> None:
    result = al.run("batch", "export", 12345, "-o", "night.vot")
    assert result.exception is not None
    assert "no batch named 12345" in str(result.exception)
    assert not (tmp_path / "night.vot").exists()


@pytest.mark.parametrize(
    ("section", "columns"),
    [
        ("Target lists", target_list_columns(DEFAULT_TARGETS)),
        ("Labels", label_table_columns(DEFAULT_TARGETS)),
    ],
)
def test_the_tables_of_the_page_name_every_column_with_its_ucd(
    section: str, columns: tuple[Column, ...]
) -> None:
    table = PAGE.partition(f"## {section}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]*) \|[^|]*\| ([^|]*) \|", table, flags=re.MULTILINE)
    ucds = {
        name: cell for names, cell in rows for name in re.findall(r"`([^`]+)`", names)
    }
    found = set()
    for column in columns:
        name = column.name
        if name not in ucds:
            target = max((t for t in DEFAULT_TARGETS if name.startswith(t)), key=len)
            name = "TARGET" + name.removeprefix(target)
        found.add(name)
        parts = set(column.ucd.split(";"))
        written = set(re.split(r"[`;,\s]+", ucds[name]))
        assert parts <= written or ("…" in written and parts & written), column.name
    assert found == set(ucds)
