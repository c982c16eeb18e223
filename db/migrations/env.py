"""Alembic runs this for every command; `upgrade.py` hands it a connection."""

from alembic import context
from sqlalchemy import Connection, text

from db.base import Base
from db.tables import __all__ as table_names

ONE_AT_A_TIME = 4_151_871_623
"""Any number that nothing else locks: two migrations at once take turns."""


def migrate(connection: Connection) -> None:
    """Run the migrations in the connection's transaction: all of them or none."""
    connection.execute(
        text("SELECT pg_advisory_xact_lock(:name)"), {"name": ONE_AT_A_TIME}
    )
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


if not table_names:
    raise RuntimeError("no table is known: autogenerate would drop everything")
migrate(context.config.attributes["connection"])
