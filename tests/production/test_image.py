import json
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from al_service.cli.main import NOUNS
from al_service.settings import Settings
from tests.production.composition import FILE, ROOT, services

INSTRUCTION = re.compile(r"^([A-Z]+) (.*)$", re.MULTILINE)


def instructions(kind: str) -> list[str]:
    """What follows every instruction of a kind, continued lines joined."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    return [rest for name, rest in INSTRUCTION.findall(text) if name == kind]


def copied() -> list[str]:
    """Paths that come from the repository."""
    lines = [line.split() for line in instructions("COPY") if "--from" not in line]
    return [source for words in lines for source in words[:-1]]


def project() -> dict[str, Any]:  # Any: TOML holds all types
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_everything_that_is_copied_exists_and_reaches_the_builder() -> None:
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert rules[0] == "*"
    for source in copied():
        assert (ROOT / source).exists(), source
        assert f"!{source}" in rules


def test_every_package_and_every_file_that_the_project_names_is_copied() -> None:
    described = project()
    packages = described["tool"]["setuptools"]["packages"]["find"]["include"]
    assert all(any(fnmatch(path, rule) for path in copied()) for rule in packages)
    named = [described["project"]["readme"], *described["project"]["license-files"]]
    assert set(named) <= set(copied())


def test_its_list_of_packages_is_the_projects() -> None:
    (step,) = (line for line in instructions("RUN") if "tomllib" in line)
    program = step.split('-c "')[1].split('" >')[0]
    printed = subprocess.run(
        [sys.executable, "-c", program.replace("\\n", "\n").replace("'\n'", "'\\n'")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout.splitlines() == project()["project"]["dependencies"]


def test_torch_comes_from_the_default_index_unless_the_builder_says_otherwise() -> None:
    assert instructions("ARG") == ['TORCH_INDEX=""']
    text = FILE.read_text(encoding="utf-8")
    assert text.count("TORCH_INDEX: ${TORCH_INDEX:-}\n") == 1


def test_it_runs_a_known_command_as_somebody_without_rights() -> None:
    (entry,) = instructions("ENTRYPOINT")
    assert json.loads(entry)[0] in project()["project"]["scripts"]
    (command,) = instructions("CMD")
    assert json.loads(command)[0] in NOUNS
    assert instructions("USER") == ["al"]
    assert any("useradd" in line and " al" in line for line in instructions("RUN"))


def test_its_variables_are_settings_and_its_port_is_published() -> None:
    words = dict(
        word.split("=") for line in instructions("ENV") for word in line.split()
    )
    ours = {name for name in words if name.startswith("AL_")}
    assert ours <= {f"AL_{field.upper()}" for field in Settings.model_fields}
    assert instructions("EXPOSE") == [words["AL_PORT"]]
    assert words["AL_HOST"] == "0.0.0.0"
    (published,) = services()["api"].ports or []
    assert str(published).endswith(f":{words['AL_PORT']}")
    (volume,) = services()["api"].volumes or []
    assert str(volume).endswith(words["AL_ARTIFACTS"])


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the image copies."""
    source = tmp_path_factory.mktemp("source")
    ignore = shutil.ignore_patterns("__pycache__")
    for path in copied():
        if (ROOT / path).is_dir():
            shutil.copytree(ROOT / path, source / path, ignore=ignore)
        else:
            shutil.copy(ROOT / path, source / path)
    return source


def test_the_package_built_from_the_copy_holds_every_file_of_ours(
    source: Path, tmp_path: Path
) -> None:
    ours = {
        path.relative_to(source).as_posix()
        for package in ("al_service", "db", "workers")
        for path in (source / package).rglob("*")
        if path.is_file()
    }
    built = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "wheel", "--no-deps"),
            *("--no-build-isolation", "--no-index", "--wheel-dir", str(tmp_path), "."),
        ],
        cwd=source,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
    assert ours <= inside
    assert not any(name.startswith("tests/") for name in inside)
