"""COPY: the fastest way to put many rows into PostgreSQL."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import sql
from sqlalchemy import Select, func, literal, select
from sqlalchemy.orm import Session

from db.repositories.driver import driver_connection

Row = Sequence[Any]  # one value per column, of any type that psycopg adapts


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
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    count = 0
    with (
        driver_connection(session).cursor() as cursor,
        cursor.copy(statement) as copy,
    ):
        for row in rows:
            copy.write_row(row)
            count += 1
    return count


def read_integers(
    session: Session, columns: Select[*tuple[Any, ...]]
) -> dict[str, NDArray[np.int64]]:
    """Read many rows of 64-bit integers without building a Python object for each.

    PostgreSQL sends each column as one value. Binary COPY, the obvious way, brings one
    message per row, each of which Python has to wait for: ten times as long.

    Args:
        session: reads in its transaction.
        columns: a SELECT of BIGINT columns that are never null.

    Returns:
        Name to column, in the order of the SELECT.
    """
    rows = columns.subquery()
    packed = session.execute(
        select(
            *(
                func.string_agg(func.int8send(column), literal(b""))
                for column in rows.columns
            )
        )
    ).one()
    return {
        name: np.frombuffer(values or b"", dtype=">i8").astype(np.int64)
        for name, values in zip(rows.columns.keys(), packed, strict=True)
    }
