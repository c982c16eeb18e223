"""The driver's own connection: for the few statements that every ask sends.

SQLAlchemy takes 0.2 ms of processor time for a statement and its rows, the driver
alone 0.08 (measured), and an ask sends six. They run in the session's transaction, and
fail with SQLAlchemy's errors: nobody above can tell the difference.
"""

from collections.abc import Mapping
from typing import Any, LiteralString

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

Row = tuple[Any, ...]  # whatever the columns hold

Statement = LiteralString | bytes


def fetch_all(
    session: Session, statement: Statement, facts: Mapping[str, object]
) -> list[Row]:
    """Run a statement that answers rows.

    Args:
        session: its pending changes are flushed first.
        statement: SQL with places `%(name)s`. The driver prepares it when it comes
            often; PostgreSQL then keeps its plan, unless a value changes what it
            expects: limits are written into the text.
        facts: what stands in the places.
    """
    return _run(session, statement, facts).fetchall()


def fetch_one(
    session: Session, statement: Statement, facts: Mapping[str, object]
) -> Row | None:
    """Run a statement that answers one row or none; the first where it answers more."""
    return _run(session, statement, facts).fetchone()


def execute(
    session: Session, statement: Statement, facts: Mapping[str, object]
) -> None:
    """Run a statement that answers nothing."""
    _run(session, statement, facts)


def driver_connection(session: Session) -> psycopg.Connection[Row]:
    """The connection of the session's transaction; pending changes are flushed."""
    session.flush()
    connection = session.connection().connection.driver_connection
    if not isinstance(connection, psycopg.Connection):
        raise TypeError(f"expected a psycopg connection, got {type(connection)}")
    return connection


def _run(
    session: Session, statement: Statement, facts: Mapping[str, object]
) -> psycopg.Cursor[Row]:
    driver = driver_connection(session)
    try:
        return driver.execute(statement, facts)
    except psycopg.Error as error:
        if driver.closed:  # or the pool would keep it, and the rollback try to use it
            session.connection().invalidate(error)
        raise DBAPIError.instance(
            str(statement),
            dict(facts),
            error,
            psycopg.Error,
            connection_invalidated=driver.closed,
        ) from error
