"""Engines and sessions, built at the edge and handed down."""

import time
from typing import Any

from pydantic_core import from_json
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry

LOCK_TIMEOUT = "10s"
"""A row lock that is not free by then is a bug; better an error than a queue."""

TRUSTED_SECONDS = 1.0
"""A connection that worked so lately works still. SQLAlchemy's `pool_pre_ping` asks
before every use: a tenth of what an ask costs."""


def create_database_engine(url: str, *, pool_size: int = 10) -> Engine:
    """An engine for `postgresql+psycopg://…` that survives a server restart.

    Args:
        url: where the database is.
        pool_size: connections kept; the same number again may be opened in a burst.
    """
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        # A third of the time of Python's own: a head run reads labels by the thousand.
        json_deserializer=from_json,
        connect_args={"options": f"-c timezone=utc -c lock_timeout={LOCK_TIMEOUT}"},
    )
    _ping_after_a_rest(engine)
    return engine


def create_sessions(engine: Engine) -> sessionmaker[Session]:
    """Sessions whose objects stay readable after the commit."""
    return sessionmaker(engine, expire_on_commit=False)


def _ping_after_a_rest(engine: Engine) -> None:
    """Replace a connection that was cut while nobody used it."""

    @event.listens_for(engine, "checkin")
    def note(_: Any, entry: ConnectionPoolEntry) -> None:  # Any: None where it was cut
        entry.info["used_at"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def ping(connection: Any, entry: ConnectionPoolEntry, _: Any) -> None:  # psycopg's
        rested = time.monotonic() - entry.info.get("used_at", time.monotonic())
        if rested <= TRUSTED_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error  # the pool opens another one
