"""Connections that are cut while nobody uses them."""

from sqlalchemy import event, select, text

from db.session import TRUSTED_SECONDS, create_database_engine
from tests.conftest import Database


def test_a_connection_that_was_cut_while_it_rested_is_replaced(
    database: Database,
) -> None:
    engine = create_database_engine(database.url, pool_size=1)
    entries = []
    event.listen(engine, "checkin", lambda _, entry: entries.append(entry))
    try:
        with engine.connect() as connection:
            pid = connection.scalar(text("SELECT pg_backend_pid()"))
        with database.engine.begin() as other:
            other.execute(select(text("pg_terminate_backend(:pid)")), {"pid": pid})
        entries[-1].info["used_at"] -= 2 * TRUSTED_SECONDS
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT pg_backend_pid()")) != pid
    finally:
        engine.dispose()
