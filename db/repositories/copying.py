"""COPY: the fastest way to put many rows into PostgreSQL."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql
from sqlalchemy import Select
from sqlalchemy.orm import Session

Row = Sequence[Any]  # one value per column, of any type that psycopg adapts

_COPY_HEADER_BYTES = 19
"""Signature, flags and extension length of PostgreSQL's binary COPY format."""

_COPY_TRAILER_BYTES = 2


def copy_rows(
    session: Session, table: str, columns: Sequence[str], rows: Iterable[Row]
) -> int:
    """Write rows in the session's transaction.

    Args:
        session: its pending changes are flushed first.
        table: name of the table.
        columns: names of the columns, in the order of the values.
        rows: one sequence of values per row; may be lazy.

    Returns:
        How many rows were written.
    """
    session.flush()
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    count = 0
    with (
        _driver_connection(session).cursor() as cursor,
        cursor.copy(statement) as copy,
    ):
        for row in rows:
            copy.write_row(row)
            count += 1
    return count


def _driver_connection(session: Session) -> psycopg.Connection[Any]:
    connection = session.connection().connection.driver_connection
    if not isinstance(connection, psycopg.Connection):
        raise TypeError(f"expected a psycopg connection, got {type(connection)}")
    return connection


def read_integers(
    session: Session, columns: Select[*tuple[Any, ...]], names: Sequence[str]
) -> dict[str, NDArray[np.int64]]:
    """Read many rows of 64-bit integers without building a Python object for each.

    Args:
        session: reads in its transaction.
        columns: a SELECT of BIGINT columns that are never null.
        names: what the columns are called in the answer.

    Returns:
        Name to column, in the order of the SELECT.
    """
    # COPY takes no parameters: SQLAlchemy writes the values into the text.
    query = columns.compile(
        session.connection(), compile_kwargs={"literal_binds": True}
    )
    statement = sql.SQL("COPY ({}) TO STDOUT (FORMAT BINARY)").format(
        sql.SQL(str(query))
    )
    with (
        _driver_connection(session).cursor() as cursor,
        cursor.copy(statement) as copy,
    ):
        data = b"".join(bytes(block) for block in copy)
    fields = [("", ">i2")] + [
        field for name in names for field in ((f"_{name}", ">i4"), (name, ">i8"))
    ]
    body = data[_COPY_HEADER_BYTES:-_COPY_TRAILER_BYTES]
    rows = np.frombuffer(body, dtype=np.dtype(fields))
    return {name: rows[name].astype(np.int64) for name in names}
