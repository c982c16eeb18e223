"""What a fresh machine installs is what was tested."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
NAME = re.compile(r"^[A-Za-z0-9._-]+")


def plain(requirement: str) -> str:
    found = NAME.match(requirement)
    assert found is not None, requirement
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return {
        plain(line): line.partition("==")[2]
        for line in lines
        if line and not line.startswith("#")
    }


def test_every_dependency_is_pinned() -> None:
    """Half of this file was once lost: a fresh machine then installed gigabytes."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    declared = [*project["dependencies"], *(one for extra in extras for one in extra)]
    pinned = pins()
    assert {plain(one) for one in declared} <= pinned.keys()
    assert all(pinned.values())


def test_torch_stays_at_the_version_that_comes_without_cuda() -> None:
    assert pins()["torch"] == "2.13.0"
