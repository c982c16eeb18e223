"""The documentation is true: what it names exists, and what exists is named."""

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from al_service.api.app import create_app
from al_service.cli.main import NOUNS, app
from al_service.client import Client
from al_service.rounds.pools import BUILTIN_SEED
from al_service.settings import Settings
from al_service.survey.sdss10k import read_sdss10k
from al_service.survey.splits import split_of

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
OPERATING = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
ROUTE = re.compile(r"\b(GET|POST|PATCH|DELETE) (/[^\s`]*)")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def commands(text: str) -> Iterator[list[str]]:
    """Every `al …` of the shell blocks, as words."""
    for block in blocks(text, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words and words[0] == "al":
                yield words[1:]


def nouns() -> Iterator[tuple[str, Any]]:  # typer hides its command classes
    for name, noun in NOUNS.items():
        module = __import__(f"al_service.cli.{noun.module}", fromlist=["app"])
        assert isinstance(module.app, typer.Typer)
        yield name, get_command(module.app)


def routes() -> set[str]:
    schema = create_app(Settings(database_url="postgresql+psycopg://x/al")).openapi()
    return {
        f"{method.upper()} {path}"
        for path, methods in schema["paths"].items()
        for method in methods
    }


def test_every_setting_is_documented_with_its_default() -> None:
    settings = Settings()
    for name in Settings.model_fields:
        pattern = rf"^\| `AL_{name.upper()}` \| `?([^|`]*)`? \|"
        row = re.search(pattern, OPERATING, re.MULTILINE)
        assert row, f"AL_{name.upper()} has no row in docs/operating.md"
        value = getattr(settings, name)
        if isinstance(value, float):
            assert float(row[1]) == value
        elif value is not None:
            assert row[1].strip() == str(value)


def test_every_documented_variable_is_a_setting() -> None:
    names = {f"AL_{name.upper()}" for name in Settings.model_fields}
    compose = {"AL_DATABASE_PASSWORD", "AL_BROKER_PASSWORD"}
    found = set(re.findall(r"`(AL_[A-Z_]+)", README + OPERATING))
    assert found <= names | compose


def test_every_command_is_in_the_readme() -> None:
    listed = " ".join(README.partition("## Commands")[2].split())
    for name, command in nouns():
        below = getattr(command, "commands", {})
        if not below:
            assert f"`al {name}`" in listed
            continue
        noun = re.search(rf"`al {name} ([a-z|]+)`", listed)
        assert noun, f"al {name} is not in the README"
        assert set(noun[1].split("|")) == set(below)


@pytest.mark.parametrize("words", list(commands(README + OPERATING)), ids=" ".join)
def test_every_documented_command_takes_its_options(words: list[str]) -> None:
    noun, *rest = words
    verbs = [word for word in rest if not word.startswith("-")]
    command = dict(nouns())[noun]
    below = getattr(command, "commands", {})
    target = below[verbs[0]] if below else command
    known = {option for each in target.params for option in each.opts}
    for word in rest:
        if word.startswith("--"):
            assert word in known, f"al {' '.join(words)}: {word}"


def test_every_route_is_in_the_readme_and_every_documented_route_exists() -> None:
    served = routes()
    documented = {f"{method} {path}" for method, path in ROUTE.findall(README)}
    assert documented == served
    operating = {f"{method} {path}" for method, path in ROUTE.findall(OPERATING)}
    assert operating <= served


def test_every_address_of_a_curl_exists() -> None:
    templates = {route.partition(" ")[2] for route in routes()}
    patterns = [re.sub(r"\{[^}]*\}", "[^/]+", template) for template in templates]
    addresses = re.findall(r"\$URL(/\S*)", README)
    assert addresses
    for address in addresses:
        assert any(re.fullmatch(pattern, address) for pattern in patterns), address


def test_the_example_program_is_python_that_the_client_understands() -> None:
    (program,) = blocks(README, "python")
    calls = {
        node.func.attr
        for node in ast.walk(ast.parse(program))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "client"
    }
    assert calls == {"create_campaign", "ask", "tell", "curve"}
    assert all(hasattr(Client, call) for call in calls)


def test_every_file_that_the_documentation_points_to_exists() -> None:
    for path in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / path).exists(), path
    for path in re.findall(r"python (docs/\S+)", README):
        assert (ROOT / path).exists(), path


def test_every_series_of_the_metrics_is_documented() -> None:
    app_ = create_app(Settings(database_url="postgresql+psycopg://x/al"))
    metrics = app_.state.service.metrics
    for collector in (metrics.seconds, *metrics.counters.values()):
        (family,) = collector.describe()
        assert f"`{family.name}" in OPERATING


def test_help_of_every_command_explains_itself() -> None:
    shown = CliRunner().invoke(app, ["--help"]).output
    for name, noun in NOUNS.items():
        assert name in shown
        assert noun.help


def test_the_galaxy_of_the_example_can_be_labeled() -> None:
    (name,) = set(re.findall(r"SDSS J[0-9.+-]+", README))
    galaxies, _ = read_sdss10k()
    (row,) = np.flatnonzero(galaxies.object_ids == name)
    assert split_of(BUILTIN_SEED, str(galaxies.group_ids[row])) == "pool"
