"""Bring a database to a revision, and ask where it stands."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from db.session import create_database_engine

FOLDER = Path(__file__).parent

Place = str | Engine | Connection  # a URL, or something connected already


def upgrade(place: Place, revision: str = "head") -> None:
    """Bring the tables up to a revision; several callers at once take turns.

    Args:
        place: which database; on a `Connection` the caller commits.
        revision: where to.
    """
    with _connected(place) as connection:
        command.upgrade(_config(connection), revision)


def downgrade(place: Place, revision: str = "base") -> None:
    """Take changes back, down to a revision; `base` leaves nothing."""
    with _connected(place) as connection:
        command.downgrade(_config(connection), revision)


def check(place: Place) -> None:
    """Raise `alembic.util.CommandError` where the tables differ from the models.

    Alembic looks at neither CHECK constraints nor triggers: tests do.
    """
    with _connected(place) as connection:
        command.check(_config(connection))


def current_revision(place: Place) -> str | None:
    """The revision that the database is at; None before the first."""
    with _connected(place) as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head_revision() -> str | None:
    """The newest revision that this code knows."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def current_is_head(place: Place) -> bool:
    """Whether the database is at the newest revision that this code knows."""
    return current_revision(place) == head_revision()


def write_revision(place: Place, message: str) -> None:
    """Write the next migration's first draft by comparing tables and models.

    A tool of developers: the service never calls it. Call it from a Python prompt on a
    database at the newest revision, then write what Alembic does not see.
    """
    with _connected(place) as connection:
        command.revision(_config(connection), message, autogenerate=True)


def _config(connection: Connection | None = None) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.set_main_option(
        "file_template", "%%(year)d_%%(month).2d_%%(day).2d_%%(slug)s"
    )
    config.set_main_option("timezone", "UTC")
    return config


@contextmanager
def _connected(place: Place) -> Iterator[Connection]:
    if isinstance(place, Connection):
        yield place
        return
    engine = place if isinstance(place, Engine) else create_database_engine(place)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        if engine is not place:
            engine.dispose()
