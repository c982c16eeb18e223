"""`al` inside the test's process, on the test's database: quick enough to run often."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from al_service.cli.main import app
from tests.conftest import PostgresForTests


@dataclass(frozen=True)
class Commands:
    """Commands of one home."""

    home: Path

    def run(self, *words: object) -> Result:
        """Run a command, to whatever end."""
        noun, *rest = (str(word) for word in words)
        return CliRunner().invoke(app, [noun, *rest, "--home", str(self.home)])

    def json(self, *words: object) -> Any:  # JSON: any shape
        """Run a command that succeeds; what it reports."""
        result = self.run(*words, "--json", "-")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)


@contextmanager
def commands_on(
    postgres: PostgresForTests, name: str, home: Path
) -> Iterator[Commands]:
    """Commands of a home on a database of this name, which ends with them."""
    postgres.copy(name)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AL_DATABASE_URL", postgres.url_of(name))
        environment.setenv("COLUMNS", "200")
        yield Commands(home)
    postgres.drop(name)
