"""What every command does first: read the settings, find the home's database."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from sqlalchemy import make_url
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from al_service.errors import InvalidInput, StackProblem
from al_service.local.database import database_for
from al_service.rounds.doorbell import Doorbell
from al_service.settings import Settings
from db.migrations.upgrade import upgrade
from db.session import create_database_engine, create_sessions

HomeOption = Annotated[
    Path,
    typer.Option(
        "--home",
        envvar="AL_HOME",
        metavar="DIR",
        help="Folder of the stack: its data, secrets and logs.",
    ),
]

DEFAULT_HOME = Path(".al")

NAMELESS = "local"
"""Whoever works in a container whose user has no name."""


@dataclass(frozen=True)
class Workplace:
    """What a command works with."""

    settings: Settings
    """`database_url` and `artifacts` are set, `broker_url` where a broker runs."""
    sessions: sessionmaker[Session]
    doorbell: Doorbell


@contextmanager
def workplace(home: Path) -> Iterator[Workplace]:
    """The database of `home`, running or started for this command.

    Raises:
        StackProblem: There is no database to work with.
    """
    found = read_settings(home)
    announce_new(home)
    with database_for(home, found, upgrade=upgrade_tables) as settings:
        engine = create_database_engine(address(settings))
        try:
            engine.connect().close()
        except OperationalError as error:
            shown = make_url(address(settings)).render_as_string(hide_password=True)
            raise StackProblem(
                f"the database {shown} cannot be reached ({error.orig}): "
                "check AL_DATABASE_URL, or unset it to use the database of --home"
            ) from error
        doorbell = Doorbell(settings.broker_url)
        try:
            with _plain_words():
                yield Workplace(settings, create_sessions(engine), doorbell)
        finally:
            doorbell.close()
            engine.dispose()


@contextmanager
def _plain_words() -> Iterator[None]:
    """What a database says to a program, said to a person."""
    try:
        yield
    except DataError as error:
        raise InvalidInput(
            f"a value that was given cannot be stored: {error.orig}"
        ) from error
    except UnicodeEncodeError as error:
        raise InvalidInput(
            f"expected text that UTF-8 can hold, found {error.object!r}"
        ) from error
    except OperationalError as error:
        raise StackProblem(
            f"the database failed, what was not finished did not happen: {error.orig}"
        ) from error


def read_settings(home: Path, **given: object) -> Settings:
    """The settings of the environment, with what the command line says on top.

    Raises:
        typer.BadParameter: A variable holds what it cannot mean.
    """
    chosen = {name: value for name, value in given.items() if value is not None}
    try:
        return Settings.model_validate(Settings(home=home).model_dump() | chosen)
    except ValidationError as error:
        problems = (
            f"AL_{'_'.join(str(part) for part in problem['loc']).upper()}: "
            f"{problem['msg']}, got {problem['input']!r}"
            for problem in error.errors()
        )
        raise typer.BadParameter("; ".join(problems)) from error


def account_name() -> str:
    """Whoever sits here: the labeler's name, by command and by `al up`'s token."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return NAMELESS


def announce_new(home: Path) -> None:
    """Say that a home is about to be made: a mistyped --home is noticed at once."""
    folder = home.expanduser().resolve()
    is_file = folder.exists() and not folder.is_dir()  # refused in a moment
    if not is_file and not (folder / "secrets").exists():
        typer.echo(f"al: {folder} is new: a home is made there", err=True)


def upgrade_tables(settings: Settings) -> None:
    """Bring the tables of the database in `settings` up to date."""
    upgrade(address(settings))


def address(settings: Settings) -> str:
    """The database's URL.

    Raises:
        StackProblem: None is set.
    """
    if settings.database_url is None:
        raise StackProblem("no database: set AL_DATABASE_URL, or start one with al up")
    return settings.database_url
