"""Engines and sessions, built at the edge and handed down."""

from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session, sessionmaker

LOCK_TIMEOUT = "10s"
"""A row lock that is not free by then is a bug; better an error than a queue."""


def create_database_engine(url: str, *, pool_size: int = 10) -> Engine:
    """An engine for `postgresql+psycopg://…` that survives a server restart.

    Args:
        url: where the database is.
        pool_size: connections kept; the same number again may be opened in a burst.
    """
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        connect_args={"options": f"-c timezone=utc -c lock_timeout={LOCK_TIMEOUT}"},
    )


def create_sessions(engine: Engine) -> sessionmaker[Session]:
    """Sessions whose objects stay readable after the commit."""
    return sessionmaker(engine, expire_on_commit=False)
